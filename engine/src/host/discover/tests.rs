use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::*;

/// Something that answers `/version` as an engine does.
fn engine(socket: &Path) {
    let listener = UnixListener::bind(socket).expect("a socket");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
        }
    });
}

fn words(result: Result<Choice, HostError>) -> String {
    result.expect_err("an error").to_string()
}

/// No variable, no socket, and the shipped lab hosts.
fn here() -> Environment {
    let labs = super::super::lab::load(Path::new("/nonexistent")).expect("lab hosts");
    Environment { labs, ..Environment::default() }
}

#[tokio::test]
async fn what_host_asks_for_comes_first() {
    let environment = Environment { docker_host: Some("unix:///nowhere".into()), ..here() };
    let docker = Lab::shipped("docker-v2").expect("a lab host");
    let choice = discover(&environment, Ask { name: Some("docker-v2"), ..Ask::default() }).await.expect("a choice");
    assert_eq!(choice, Choice { target: Target::Lab(Box::new(docker)), why: "--host asks for it".into() });
    let choice = discover(&environment, Ask { name: Some("tcp://box:1"), ..Ask::default() }).await.expect("a choice");
    assert_eq!(choice.name(), "tcp://box:1");
}

#[tokio::test]
async fn an_unknown_name_lists_the_names() {
    let error = words(discover(&here(), Ask { name: Some("docker-v3"), ..Ask::default() }).await);
    assert!(error.contains("`docker-v1`, `docker-v2`"), "{error}");
    let error = words(discover(&here(), Ask { name: Some("https://box"), ..Ask::default() }).await);
    assert!(error.contains("TLS is not supported"), "{error}");
}

#[tokio::test]
async fn a_variable_that_names_a_dead_host_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let alive = folder.path().join("alive.sock");
    engine(&alive);
    let environment = Environment {
        docker_host: Some("unix:///nowhere/docker.sock".into()),
        sockets: vec![alive.clone()],
        ..Environment::default()
    };
    let error = words(discover(&environment, Ask::default()).await);
    assert!(error.contains("DOCKER_HOST names it") && error.contains("does not exist"), "{error}");
    let environment =
        Environment { container_host: Some(format!("unix://{}", alive.display())), ..Environment::default() };
    let choice = discover(&environment, Ask::default()).await.expect("a choice");
    assert_eq!(choice.why, "CONTAINER_HOST names it");
}

#[tokio::test]
async fn the_current_context_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let alive = folder.path().join("alive.sock");
    engine(&alive);
    std::fs::write(folder.path().join("config.json"), r#"{"currentContext":"lab"}"#).expect("written");
    let mut environment = Environment { docker_config: Some(folder.path().to_owned()), ..Environment::default() };
    let error = words(discover(&environment, Ask::default()).await);
    assert!(error.contains("docker context `lab`") && error.contains("docker context ls"), "{error}");
    // The folder is the SHA-256 of `lab`.
    let hash = format!("{:x}", Sha256::digest("lab"));
    let meta = folder.path().join("contexts/meta").join(hash);
    std::fs::create_dir_all(&meta).expect("made");
    let text =
        serde_json::json!({"Name": "lab", "Endpoints": {"docker": {"Host": format!("unix://{}", alive.display())}}});
    std::fs::write(meta.join("meta.json"), text.to_string()).expect("written");
    let choice = discover(&environment, Ask::default()).await.expect("a choice");
    assert_eq!(choice.why, "the docker context `lab` names it");
    environment.docker_context = Some("default".into());
    environment.sockets = vec![alive];
    let choice = discover(&environment, Ask::default()).await.expect("a choice");
    assert!(choice.why.contains("no docker context but the default"), "{}", choice.why);
}

#[tokio::test]
async fn a_dead_socket_is_passed_over_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (dead, alive) = (folder.path().join("dead.sock"), folder.path().join("alive.sock"));
    drop(std::os::unix::net::UnixListener::bind(&dead).expect("a socket"));
    engine(&alive);
    let environment = Environment { sockets: vec![dead, alive.clone()], ..Environment::default() };
    let choice = discover(&environment, Ask::default()).await.expect("a choice");
    assert_eq!(choice.target, Target::Address(Address::Unix(alive)));
    assert!(choice.why.contains("dead.sock does not answer"), "{}", choice.why);
}

#[tokio::test]
async fn where_nothing_works_every_step_is_told() {
    let environment = Environment { sockets: vec!["/nowhere/docker.sock".into()], layout: None, ..here() };
    let error = words(discover(&environment, Ask::default()).await);
    for step in [
        "DOCKER_HOST is not set",
        "/nowhere/docker.sock does not exist",
        "a private engine (docker-v1) can't be started",
    ] {
        assert!(error.contains(step), "{step}: {error}");
    }
}
