//! A machine behind ssh: how people write it, how ssh is called for it, and what to do about ssh's complaints. Pure.

use tokio::process::Command;

/// A machine and maybe a socket there, as `ssh://[user@]host[:port][/path/to.sock]` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshTarget {
    /// The user; none leaves it to ssh's configuration.
    pub user: Option<String>,
    /// The host, or a name of ssh's configuration.
    pub host: String,
    /// The port; none leaves it to ssh's configuration.
    pub port: Option<u16>,
    /// The engine's socket; none lets it be looked for.
    pub socket: Option<String>,
}

impl SshTarget {
    /// Reads what follows `ssh://`.
    ///
    /// # Errors
    /// A fragment that says what is wrong.
    pub(in crate::host) fn parse(rest: &str) -> Result<Self, String> {
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err("has a password, which ssh takes from nobody; use a key or an agent".to_owned());
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| format!("has the port `{port}`, which is no number"))?))
            }
            _ => (place, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let plain = |text: &str| !text.is_empty() && !text.starts_with('-') && !text.contains(char::is_whitespace);
        if !plain(host) || !user.is_none_or(plain) {
            return Err("has no user and host; write `ssh://user@host`".to_owned());
        }
        let path = path.trim_end_matches('/');
        // ssh cuts the words of a forward at its colons.
        if path.contains([':', '\n']) {
            return Err("has a socket's path with a colon, which ssh can't forward".to_owned());
        }
        let socket = (!path.is_empty()).then(|| path.to_owned());
        Ok(Self { user: user.map(ToOwned::to_owned), host: host.to_owned(), port, socket })
    }

    /// What a person types to log in there.
    fn by_hand(&self) -> String {
        let port = self.port.map(|port| format!("-p {port} ")).unwrap_or_default();
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        format!("ssh {port}{user}{}", self.host)
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new("ssh");
        command.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"]);
        if let Some(user) = &self.user {
            command.args(["-l", user]);
        }
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        command
    }
}

impl std::fmt::Display for SshTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') { write!(f, "[{}]", self.host) } else { f.write_str(&self.host) }?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.socket.as_deref().unwrap_or_default())
    }
}

/// ssh's words, and what to do.
pub(super) fn advised(words: &str, target: &SshTarget) -> String {
    let words = words.trim();
    let lower = words.to_lowercase();
    let login = target.by_hand();
    let advice = [
        (
            "remote host identification has changed",
            "check why its key is another one; what ssh says above removes the old one".to_owned(),
        ),
        (
            "host key verification failed",
            format!("its key is not known here: log in once with `{login}`, and compare the key before you accept it"),
        ),
        (
            "permission denied",
            format!(
                "`{login} -o BatchMode=yes true` must work: use a key without a passphrase, or an agent (`ssh-add`)"
            ),
        ),
        ("could not resolve hostname", "check the name, or name the machine in ~/.ssh/config".to_owned()),
        ("connection refused", "check that an ssh server runs there, and its port: `ssh://user@host:port`".to_owned()),
    ];
    let words = if words.is_empty() { "ssh ended without a word" } else { words };
    match advice.iter().find(|(sign, _)| lower.contains(sign)) {
        Some((_, advice)) => format!("{words}; {advice}"),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_written() {
        for text in ["box", "me@box", "me@box:2222", "box/run/x.sock", "me@[::1]:22/run/x.sock", "[::1]"] {
            assert_eq!(SshTarget::parse(text).map(|t| t.to_string()), Ok(format!("ssh://{text}")));
        }
        assert_eq!(SshTarget::parse("box/").map(|t| t.socket), Ok(None));
        for text in ["", "@box", "me@", "-oProxyCommand=x", "me:secret@box", "box:port", "box/a:b", "-l@box"] {
            assert!(SshTarget::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sshs_words_come_with_advice() {
        let target = SshTarget::parse("me@box:2222").expect("a target");
        let advised = |words: &str| super::advised(words, &target);
        let unknown = "No ED25519 host key is known for box and you have requested strict checking.\r\nHost key verification failed.";
        assert!(advised(unknown).contains("No ED25519") && advised(unknown).contains("once with `ssh -p 2222 me@box`"));
        assert!(advised("me@box: Permission denied (publickey).").contains("agent"));
        assert_eq!(advised("odd"), "odd");
        assert_eq!(advised(" "), "ssh ended without a word");
    }
}
