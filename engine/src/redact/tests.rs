use serde_json::json;

use super::*;

fn bob() -> Redaction {
    let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Redaction::on(Known {
        users: list(&["bob"]),
        homes: list(&["/home/bob"]),
        machines: list(&["bobs-laptop.example.org"]),
    })
}

/// A text as the only one of its document.
fn alone(text: &str) -> String {
    bob().redactor(&[], [text]).text(text)
}

#[test]
fn addresses_lose_user_and_machine() {
    for (text, redacted) in [
        ("ssh://bob@build7:22/run/x.sock", "ssh://<user>@<machine-1>:22/run/x.sock"),
        ("ssh://build7", "ssh://<machine-1>"),
        ("tcp://build7:2375", "tcp://<machine-1>:2375"),
        ("tcp://192.168.1.5:2375", "tcp://<machine-1>:2375"),
        ("tcp://[fe80::1]:2375", "tcp://<machine-1>:2375"),
        ("ssh://root@build7", "ssh://root@<machine-1>"),
        ("unix:///home/bob/run/docker.sock", "unix://<home>/run/docker.sock"),
        ("unix:///home/alice/run/docker.sock", "unix://<home>/run/docker.sock"),
        ("docker -H ssh://bob@build7:22 run --rm x", "docker -H ssh://<user>@<machine-1>:22 run --rm x"),
        ("podman --url 'ssh://bo%b@build7' ps", "podman --url 'ssh://<user>@<machine-1>' ps"),
    ] {
        assert_eq!(alone(text), redacted);
        // As the name of a host, or in a text.
        assert_eq!(bob().of_hosts([text]).redactor(&[], []).text(text), redacted);
    }
}

#[test]
fn what_names_nobody_stays() {
    for text in [
        "tcp://127.0.0.1:2375",
        "tcp://[::1]:2375",
        "tcp://localhost:2375",
        "ssh://root@127.0.0.1:2222/run/x.sock",
        "unix:///var/run/docker.sock",
        "unix:///run/user/1000/docker.sock",
        "docker-v1",
        "/root/.cache and /home and /",
        "see http://build7/doc and https://www.debian.org/",
        "user@1000.service: Permission denied; modprobe@fuse.service",
        "bobby, bob-tail and kebob",
        "<user> at <machine-1> in <home>",
    ] {
        assert_eq!(alone(text), text);
    }
}

#[test]
fn names_are_found_in_prose() {
    for (text, redacted) in [
        ("/home/bob/a.toml:3: bob's file", "<home>/a.toml:3: <user>'s file"),
        ("-v /home/bob:/home/bob:ro", "-v <home>:<home>:ro"),
        ("bob on Bobs-Laptop: hi Bob", "<user> on <machine-1>: hi Bob"),
        ("Set hostname to <bobs-laptop.example.org>.", "Set hostname to <<machine-1>>."),
        ("the docker context `build7-by-bob` names it", "the docker context `<context>` names it"),
        (
            "ssh: connect to host build9.lan port 22: Connection refused; is build9.lan up?",
            "ssh: connect to host <machine-1> port 22: Connection refused; is <machine-1> up?",
        ),
        (
            "ssh: Could not resolve hostname build9: Name or service not known",
            "ssh: Could not resolve hostname <machine-1>: Name or service not known",
        ),
        ("carol@build9: Permission denied (publickey).", "<user>@<machine-1>: Permission denied (publickey)."),
        (
            "No ED25519 host key is known for [build9]:2222 and you have",
            "No ED25519 host key is known for [<machine-1>]:2222 and you have",
        ),
    ] {
        assert_eq!(alone(text), redacted);
    }
}

#[test]
fn a_home_may_be_anywhere() {
    let known = |home: &str| Redaction::on(Known { homes: vec![home.to_owned()], ..Known::default() });
    let text = "/srv/people/bob/x, /srv/people/bob and /srv/people/bobby or /mnt/srv/people/bob";
    let redacted = known("/srv/people/bob").redactor(&[], [text]).text(text);
    assert_eq!(redacted, "<home>/x, <home> and /srv/people/bobby or /mnt/srv/people/bob");
    for home in ["/root", "/", "", "/usr/sbin", "/nonexistent"] {
        let text = "/root/x /usr/sbin/init /nonexistent/y";
        assert_eq!(known(home).redactor(&[], [text]).text(text), text, "{home}");
    }
}

#[test]
fn common_words_are_names_in_addresses_only() {
    let known =
        Known { users: vec!["docker".into()], machines: vec!["vm".into(), "debian".into()], ..Known::default() };
    let text = "ssh://docker@docker:22 runs docker on debian in a vm";
    let redacted = Redaction::on(known).redactor(&[], [text]).text(text);
    assert_eq!(redacted, "ssh://<user>@<machine-1>:22 runs docker on debian in a vm");
}

#[test]
fn machines_are_numbered_as_they_were_asked_for() {
    let hosts = ["tcp://build8:2375", "http://build7", "unix:///home/alice/x.sock", "ssh://carol@build8"];
    let redaction = bob().of_hosts(hosts);
    let machines = [("http://build7", "srv-7.example.org"), ("unix:///home/alice/x.sock", "bobs-laptop.example.org")];
    let redactor = redaction.redactor(&machines, ["ssh://dave@build9"]);
    let text = hosts.join(" ") + " srv-7 bobs-laptop ssh://dave@build9 /home/bob bob";
    assert_eq!(
        redactor.text(&text),
        "tcp://<machine-1>:2375 http://<machine-2> unix://<home>/x.sock ssh://<user>@<machine-1> \
         <machine-2> <machine-3> ssh://<user-2>@<machine-4> <home-2> <user-3>"
    );
}

#[test]
fn a_document_is_redacted_as_a_whole_and_only_once() {
    let case = |host: &str| json!({ "id": format!("s[n=1,host={host}]"), "point": { "host": host }, "took": 1.5 });
    let mut document = json!({
        "why": "build7 was named first here",
        "cases": [case("ssh://bob@build7"), case("ssh://bob@build8:22"), case("docker-v1")],
        "bob": null,
    });
    let redaction = bob().of_hosts(["ssh://bob@build7", "ssh://bob@build8:22", "docker-v1"]);
    redaction.value(&[], &mut document);
    let expected = json!({
        "why": "<machine-1> was named first here",
        "cases": [case("ssh://<user>@<machine-1>"), case("ssh://<user>@<machine-2>:22"), case("docker-v1")],
        "bob": null,
    });
    assert_eq!(document, expected);
    redaction.value(&[], &mut document);
    assert_eq!(document, expected);
}

#[test]
fn off_is_off() {
    let mut value = json!(["ssh://bob@build7", "/home/bob"]);
    let before = value.clone();
    Redaction::off().of_hosts(["ssh://bob@build7"]).value(&[("ssh://bob@build7", "x")], &mut value);
    assert_eq!(value, before);
    assert_eq!(Redaction::off().redactor(&[], ["x"]).text("/home/bob"), "/home/bob");
}

proptest::proptest! {
    #[test]
    fn any_text_ends_without_the_names(text in ".*", at in 0..8_usize) {
        let between = [" ", "\n", "(", "'", "=", "/", ": ", ","][at];
        let whole = format!("{text}{between}bob{between}bobs-laptop.example.org{between}{text}");
        let redacted = alone(&whole);
        proptest::prop_assert!(!redacted.contains(&format!("{between}bob{between}")), "{redacted}");
        proptest::prop_assert!(!redacted.contains("bobs-laptop"), "{redacted}");
    }
}
