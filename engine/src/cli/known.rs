//! What this process knows of its user and its machine, so that reports can leave it out.

use crate::redact::Known;

/// Reads the environment, the list of users and the machine's name.
pub(super) fn here() -> Known {
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let mut known = Known {
        users: ["USER", "LOGNAME", "SUDO_USER", "DOAS_USER"].into_iter().filter_map(text).collect(),
        homes: text("HOME").into_iter().collect(),
        machines: vec![machine.trim().to_owned()],
    };
    add(&mut known, &users, rustix::process::getuid().as_raw());
    known
}

/// Adds the account of a user id, and the homes of all names; `users` has the lines of `/etc/passwd`.
fn add(known: &mut Known, users: &str, id: u32) {
    let accounts = || users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    known.users.extend(accounts().filter_map(|account| match account[..] {
        [name, _, number, ..] if number.parse() == Ok(id) => Some(name.to_owned()),
        _ => None,
    }));
    let homes = accounts().filter_map(|account| match account[..] {
        [name, _, _, _, _, home, ..] if known.users.iter().any(|user| user == name) => Some(home.to_owned()),
        _ => None,
    });
    known.homes.extend(homes.collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_and_the_homes_are_looked_up() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000:Bob:/srv/bob:/bin/sh\n\
            alice:x:1001:1001::/home/alice:/bin/sh\nhalf:x\n";
        let mut known = Known { users: vec!["alice".into()], ..Known::default() };
        add(&mut known, users, 1000);
        assert_eq!(known.users, ["alice", "bob"]);
        assert_eq!(known.homes, ["/srv/bob", "/home/alice"]);
    }
}
