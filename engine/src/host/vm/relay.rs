//! The way to a guest's docker: a socket in the run folder, which is closed to others, and from it to the port that qemu
//! forwards on the loopback of its own network namespace. A port of this machine's would be open to whoever uses it, and
//! who reaches docker is root in the guest.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::mpsc;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::{TcpStream, UnixListener};
use tokio_util::sync::{CancellationToken, DropGuard};

/// An open way; dropped, it is closed.
#[derive(Debug)]
pub(super) struct Relay {
    _open: DropGuard,
}

impl Relay {
    /// Opens it, to a port of that process's loopback.
    pub(super) fn open(process: i32, socket: PathBuf, port: u16) -> io::Result<Self> {
        let namespace = File::open(format!("/proc/{process}/ns/net"))?;
        let closed = CancellationToken::new();
        let (tell, told) = mpsc::channel();
        let until = closed.clone();
        // A thread of its own, for it is threads that are in a namespace.
        std::thread::Builder::new().name("relay".to_owned()).spawn(move || {
            let entered = move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network));
            let runtime = entered
                .map_err(io::Error::from)
                .and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build());
            match runtime {
                Ok(runtime) => runtime.block_on(async {
                    let listener = UnixListener::bind(socket);
                    let listens =
                        listener.as_ref().map(|_| ()).map_err(|error| io::Error::new(error.kind(), error.to_string()));
                    let _gone = tell.send(listens);
                    if let Ok(listener) = listener {
                        until.run_until_cancelled(pass_on(listener, port)).await;
                    }
                }),
                Err(error) => drop(tell.send(Err(error))),
            }
        })?;
        told.recv().map_err(io::Error::other)??;
        Ok(Self { _open: closed.drop_guard() })
    }
}

/// Passes connections on, each in both directions, as long as it is polled.
async fn pass_on(listener: UnixListener, port: u16) {
    loop {
        let Ok((mut near, _)) = listener.accept().await else {
            // Too many files are open, for a while.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        tokio::spawn(async move {
            // Who is not answered sees the connection end.
            if let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await {
                let _ended = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, UnixStream};

    use super::*;

    #[tokio::test]
    async fn connections_are_passed_on_both_ways_until_it_is_dropped() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut said = String::new();
                    stream.read_to_string(&mut said).await.unwrap();
                    stream.write_all(format!("heard {said}").as_bytes()).await.unwrap();
                });
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let own = i32::try_from(std::process::id()).unwrap();
        let relay = Relay::open(own, socket.clone(), port).unwrap();
        for words in ["one", "two"] {
            let mut stream = UnixStream::connect(&socket).await.unwrap();
            stream.write_all(words.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, format!("heard {words}"));
        }
        drop(relay);
        while UnixStream::connect(&socket).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(Relay::open(own, folder.path().join("no/folder"), port).is_err());
    }
}
