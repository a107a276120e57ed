//! Where an engine listens, as people write it. Pure but for [`Address::connect`].

use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// An address of an engine's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `unix:///run/docker.sock`.
    Unix(PathBuf),
    /// `tcp://127.0.0.1:2375`, plain HTTP: host and port.
    Tcp(String),
}

/// Both directions of a connection.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

impl Address {
    /// Reads `unix:///path`, `tcp://host:port` or `http://host:port`.
    ///
    /// # Errors
    /// Words for the user where it is none of them, or is a kind that is not supported yet.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("`{text}` is no address: it has no `unix://` or `tcp://` in front"));
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
            "ssh" => Err(format!(
                "`{text}`: ssh is not supported yet; forward the socket by hand \
                 (`ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST`) and use `unix:///tmp/engine.sock`"
            )),
            "https" => Err(format!("`{text}`: TLS is not supported yet; use `unix://` or plain `tcp://`")),
            other => Err(format!("`{text}`: `{other}://` is not supported; use `unix://` or `tcp://`")),
        }
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> std::io::Result<Box<dyn Connection>> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for text in ["unix:///run/docker.sock", "tcp://127.0.0.1:2375", "tcp://[::1]:99"] {
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
            ("ssh://root@box", "not supported yet"),
            ("https://box", "TLS is not supported yet"),
            ("npipe:////./pipe/x", "`npipe://` is not supported"),
        ] {
            let error = Address::parse(text).err().unwrap_or_default();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
