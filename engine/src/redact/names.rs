//! The names that a document may hold, and their placeholders.

use crate::observe::pattern::{self, Sought};

/// Where an engine is, as addresses have it.
pub(super) static ADDRESS: Sought = Sought::new(&["ssh://", "tcp://", "http://"], || {
    pattern::builtin(
        r#"\b(?P<scheme>ssh|tcp|http)://(?:(?P<user>[^\s/@\[\]"'`<>,=(){}|]+)@)?(?P<host>\[[0-9A-Za-z:.%]+\]|\w(?:[\w.-]*\w)?)"#,
    )
});

/// A home folder in its usual place, at the start of a path.
pub(super) static HOME: Sought = Sought::new(&["home/", "/Users/"], || {
    pattern::builtin(r"(?P<before>^|[^\w./-]|://)(?P<home>(?:/(?:var/|usr/|export/)?home|/Users)/\w(?:[\w.+@-]*\w)?)")
});

/// What ssh says of the machine that it could not reach, by the name in its configuration.
static SSH_SAYS: Sought = Sought::new(&BEHIND_THE_NAME, || {
    pattern::builtin(
        r"(?x)
        (?: connect\ to\ host\ | resolve\ hostname\ | [Hh]ost\ key\ (?:is\ known\ )?for\ |
            [Cc]onnection\ (?:to|closed\ by|reset\ by|timed\ out\ to)\ | (?P<user>[^\s@]+)@ )
        \[? (?P<host>[\w.:%-]*\w) \]? (?: :\d+)?
        (?: :?\ (?:port\ \d|Permission\ denied\ \(|Name\ or|Temporary\ failure|nodename|and\ you|has\ changed|closed))",
    )
});

const BEHIND_THE_NAME: [&str; 8] =
    ["port ", "Permission denied (", "Name or", "Temporary failure", "nodename", "and you", "has changed", "closed"];

/// Names that tell nothing of whom or where, or that stand for something else in every report; in an address they are
/// names all the same.
const COMMON: &[&str] = &[
    "admin",
    "build",
    "centos",
    "container",
    "daemon",
    "debian",
    "docker",
    "engine",
    "fedora",
    "guest",
    "home",
    "host",
    "linux",
    "localdomain",
    "localhost",
    "machine",
    "node",
    "nobody",
    "podman",
    "root",
    "runner",
    "sdc-engine",
    "server",
    "system",
    "systemd",
    "test",
    "ubuntu",
    "user",
];

/// Whether a name may be taken for what it is wherever it stands: a shorter one, or a number, would be found everywhere.
fn is_telling(name: &str) -> bool {
    const SHORTEST: usize = 3;
    let number = name.chars().all(|c| c.is_ascii_digit());
    name.chars().count() >= SHORTEST && !number && !COMMON.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether a home is where homes usually are.
fn is_usual(home: &str) -> bool {
    HOME.captures(home).is_some_and(|found| found[0].len() == home.len())
}

/// An address's machine without the brackets of IPv6.
pub(super) fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Whether a machine's name is this very machine's, whichever that is.
fn is_loopback(host: &str) -> bool {
    let here = |address: core::net::IpAddr| address.is_loopback() || address.is_unspecified();
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(here)
}

/// The names, each with its placeholder, in the order in which they became known.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    users: Vec<(String, String)>,
    homes: Vec<(String, String)>,
    /// In lower case, for it makes no difference there; several names may be one machine's.
    machines: Vec<(String, String)>,
    /// How many machines there are.
    count: usize,
}

fn find<'n>(list: &'n [(String, String)], name: &str) -> Option<&'n str> {
    list.iter().find(|(known, _)| known == name).map(|(_, placeholder)| placeholder.as_str())
}

/// `<user>`, and from the second one on `<user-2>`.
fn add(list: &mut Vec<(String, String)>, name: &str, word: &str) {
    if find(list, name).is_none() {
        let number = list.len() + 1;
        list.push((name.to_owned(), if number == 1 { format!("<{word}>") } else { format!("<{word}-{number}>") }));
    }
}

impl Names {
    pub(super) fn user(&mut self, name: &str) {
        if !name.is_empty() && name != "root" {
            add(&mut self.users, name, "user");
        }
    }

    /// One that is a folder of every system, such as `/root` or `/usr/sbin`, names nobody.
    pub(super) fn home(&mut self, path: &str) {
        const SYSTEM: [&str; 8] = ["/bin/", "/dev/", "/etc/", "/proc/", "/run/", "/sbin/", "/sys/", "/usr/"];
        let path = path.trim_end_matches('/');
        let own = path.rfind('/').is_some_and(|at| at > 0) && !SYSTEM.iter().any(|folder| path.starts_with(folder));
        if own || is_usual(path) {
            add(&mut self.homes, path, "home");
        }
    }

    fn machine(&mut self, name: &str) {
        let name = bare(name).to_ascii_lowercase();
        if !name.is_empty() && !is_loopback(&name) && find(&self.machines, &name).is_none() {
            self.count += 1;
            self.machines.push((name, format!("<machine-{}>", self.count)));
        }
    }

    /// Another name of a machine that is known.
    fn alias(&mut self, of: &str, name: &str) {
        let name = name.to_ascii_lowercase();
        if let Some(placeholder) = self.of_machine(of).map(ToOwned::to_owned)
            && is_telling(&name)
            && !is_loopback(&name)
            && find(&self.machines, &name).is_none()
        {
            self.machines.push((name, placeholder));
        }
    }

    /// A machine by the name that it has for itself, with a domain or not.
    pub(super) fn own_machine(&mut self, name: &str) {
        if is_telling(name) {
            self.machine(name);
            self.alias(name, name.split('.').next().unwrap_or_default());
        }
    }

    /// What a run calls a host.
    pub(super) fn host(&mut self, name: &str) {
        if name.starts_with("http://")
            && let Some(found) = ADDRESS.captures(name)
        {
            self.machine(&found["host"]);
        }
        self.learn(name);
    }

    /// The name that a host's machine has for itself.
    pub(super) fn machine_behind(&mut self, host: &str, machine: &str) {
        let address = ADDRESS.captures(host).map(|found| bare(&found["host"]).to_owned());
        match address.filter(|address| self.of_machine(address).is_some()) {
            Some(address) => {
                self.alias(&address, machine);
                self.alias(&address, machine.split('.').next().unwrap_or_default());
            }
            None => self.own_machine(machine),
        }
    }

    /// Takes note of the addresses and homes of a text.
    pub(super) fn learn(&mut self, text: &str) {
        for found in ADDRESS.captures_iter(text) {
            if &found["scheme"] != "http" {
                self.machine(&found["host"]);
                self.user(found.name("user").map_or("", |user| user.as_str()));
            }
        }
        for found in HOME.captures_iter(text) {
            self.home(&found["home"]);
        }
        for found in SSH_SAYS.captures_iter(text) {
            self.machine(&found["host"]);
            self.user(found.name("user").map_or("", |user| user.as_str()));
        }
    }

    pub(super) fn of_user(&self, name: &str) -> Option<&str> {
        find(&self.users, name)
    }

    pub(super) fn of_home(&self, path: &str) -> Option<&str> {
        find(&self.homes, path)
    }

    pub(super) fn of_machine(&self, name: &str) -> Option<&str> {
        find(&self.machines, &name.to_ascii_lowercase())
    }

    /// The homes that are not in a usual place.
    pub(super) fn unusual_homes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.homes.iter().filter(|(path, _)| !is_usual(path)).map(|(path, by)| (path.as_str(), by.as_str()))
    }

    /// The names of users that are no other word, the longest first.
    pub(super) fn user_words(&self) -> Vec<(&str, &str)> {
        words(&self.users)
    }

    /// The same of machines, in lower case.
    pub(super) fn machine_words(&self) -> Vec<(&str, &str)> {
        words(&self.machines)
    }
}

fn words(list: &[(String, String)]) -> Vec<(&str, &str)> {
    let telling = list.iter().filter(|(name, _)| is_telling(name));
    let mut words: Vec<_> = telling.map(|(name, by)| (name.as_str(), by.as_str())).collect();
    words.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    words
}
