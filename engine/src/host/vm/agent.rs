//! The guest's own voice: a script on its second serial port (`agent.sh`) that takes orders, a line each.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long an answer may take: an emulated machine under load is slow.
const ANSWER: Duration = Duration::from_secs(60);
/// What ends every answer.
const END: &str = "==> end <==\n";

/// Gives an order; the answer without its last line.
pub(super) async fn ask(socket: &Path, order: &str) -> Result<String, String> {
    let words = |error: std::io::Error| format!("the guest's agent does not take `{order}`: {error}");
    let answer = timeout(ANSWER, async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{order}\n").as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(END.as_bytes()) {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(std::io::Error::other("it ended"));
            }
        }
        Ok(answer)
    });
    match answer.await {
        Ok(Ok(answer)) => {
            let text = String::from_utf8_lossy(&answer).into_owned();
            Ok(text.strip_suffix(END).unwrap_or(&text).to_owned())
        }
        Ok(Err(error)) => Err(words(error)),
        Err(_) => Err(format!("the guest's agent does not answer to `{order}` within {} s", ANSWER.as_secs())),
    }
}
