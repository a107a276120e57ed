//! Where an engine listens, as people write it. Pure but for [`Address::connect`].

use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::ssh::SshTarget;

/// An address of an engine's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `unix:///run/docker.sock`.
    Unix(PathBuf),
    /// `tcp://127.0.0.1:2375`, plain HTTP: host and port.
    Tcp(String),
    /// `ssh://user@host/run/docker.sock`, over the system's `ssh`.
    Ssh {
        /// The machine.
        target: SshTarget,
        /// The socket of ours to which the engine's is forwarded, once it is.
        local: Option<PathBuf>,
    },
}

/// Both directions of a connection.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

impl Address {
    /// Reads `unix:///path`, `tcp://host:port`, `http://host:port` or `ssh://user@host:port/path`.
    ///
    /// # Errors
    /// Words for the user where it is none of them, or is a kind that is not supported yet.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("`{text}` is no address: it has no `unix://`, `tcp://` or `ssh://` in front"));
        };
        let rest = rest.trim_end_matches('/');
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "unix" => Err(format!("`{text}` has no absolute path: write `unix:///run/docker.sock`")),
            "tcp" | "http" if rest.is_empty() || rest.contains('/') => {
                Err(format!("`{text}` has no plain host and port: write `tcp://127.0.0.1:2375`"))
            }
            "tcp" | "http" if has_port(rest) => Ok(Self::Tcp(rest.to_owned())),
            "tcp" | "http" => Ok(Self::Tcp(format!("{rest}:2375"))),
            "ssh" => SshTarget::parse(rest)
                .map(|target| Self::Ssh { target, local: None })
                .map_err(|words| format!("`{text}` {words}")),
            "https" => Err(format!("`{text}`: TLS is not supported; use `ssh://`, `unix://` or plain `tcp://`")),
            other => Err(format!("`{text}`: `{other}://` is not supported; use `unix://`, `tcp://` or `ssh://`")),
        }
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> std::io::Result<Box<dyn Connection>> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            Self::Ssh { local: Some(path), .. } => Box::new(UnixStream::connect(path).await?),
            Self::Ssh { target, local: None } => {
                return Err(std::io::Error::other(format!("the engine of {target} is not forwarded yet")));
            }
        })
    }
}

fn has_port(authority: &str) -> bool {
    authority
        .rsplit_once(':')
        .is_some_and(|(host, port)| port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']')))
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Ssh { target, .. } => target.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for text in ["unix:///run/docker.sock", "tcp://127.0.0.1:2375", "tcp://[::1]:99", "ssh://me@box:22/run/x.sock"]
        {
            assert_eq!(Address::parse(text).map(|a| a.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Address::parse("http://box/").map(|a| a.to_string()), Ok("tcp://box:2375".to_owned()));
        assert_eq!(Address::parse("tcp://[::1]").map(|a| a.to_string()), Ok("tcp://[::1]:2375".to_owned()));
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_way_out() {
        for (text, words) in [
            ("/run/docker.sock", "has no `unix://`"),
            ("unix://run/docker.sock", "no absolute path"),
            ("tcp://", "no plain host and port"),
            ("tcp://box:1/path", "no plain host and port"),
            ("ssh://", "has no user and host"),
            ("ssh://box:x", "no number"),
            ("https://box", "TLS is not supported"),
            ("npipe:////./pipe/x", "`npipe://` is not supported"),
        ] {
            let error = Address::parse(text).err().unwrap_or_default();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
