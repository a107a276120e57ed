//! `sdc-engine report`: what it makes of reports, and what a reader can do with the page, in a real browser. The reports in
//! `tests/page` are of real runs, without scenarios and logs that would only make them long.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

#[path = "page/driver.rs"]
mod driver;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use driver::Browser;
use serde_json::Value;

const V1: &str = "docker-v1.json";
const V2: &str = "docker-v2.json";
/// WebDriver's names of keys.
const DOWN: &str = "\u{e015}";
const RIGHT: &str = "\u{e014}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page")
}

/// The program in the folder of the reports: code, stdout, stderr.
fn report(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("sdc-engine").unwrap();
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "SDC_ENGINE_LOG"] {
        command.env_remove(variable);
    }
    let output = command.current_dir(folder()).env("COLUMNS", "100").arg("report").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A page of these reports, in a folder that lives as long as it is held.
fn page(reports: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let mut arguments = reports.to_vec();
    let name = file.display().to_string();
    arguments.extend(["--html", &name]);
    let (code, stdout, stderr) = report(&arguments);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    (folder, file)
}

#[test]
fn both_pages_come_from_several_reports() {
    let folder = tempfile::tempdir().unwrap();
    let html = folder.path().join("deep/page.html");
    let (code, stdout, stderr) = report(&[V1, V2, "--html", html.to_str().unwrap(), "--markdown", "-"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.contains("| docker-v1 cgroupns=host |") && stdout.contains("| docker-v2 cgroupns=private |"),
        "{stdout}"
    );
    assert!(std::fs::read_to_string(html).unwrap().starts_with("<!doctype html>"));
}

#[test]
fn the_same_run_twice_is_told() {
    let (code, stdout, stderr) = report(&[V2, V2, "--markdown", "-"]);
    assert_eq!(code, 0);
    assert!(
        stderr.contains("cases of docker-v2: in docker-v2.json and again in docker-v2.json, which counts"),
        "{stderr}"
    );
    assert!(stdout.contains("\n> "), "{stdout}");
}

#[test]
fn what_is_no_report_is_2_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let strange = std::fs::read_to_string(self::folder().join(V2)).unwrap().replace("\"pass\"", "\"splendid\"");
    let (broken, other, future) =
        (file("a.json", "{\n]"), file("b.json", "{}"), file("c.json", "{\"schema_version\": 9}"));
    let strange = file("d.json", &strange);
    for (arguments, words) in [
        (vec![broken.as_str(), "--html", "-"], "a.json: it is no JSON: key must be a string at line 2"),
        (vec![V1, other.as_str(), "--html", "-"], "b.json: it is no report of `sdc-engine check --json`"),
        (vec![future.as_str(), "--html", "-"], "version 9"),
        (vec![strange.as_str(), "--html", "-"], "has the verdict `splendid`"),
        (vec!["nowhere.json", "--html", "-"], "nowhere.json: it can't be read"),
        (vec![V1, "--html", "-", "--markdown", "-"], "only one of --html, --markdown and --findings can go to stdout"),
        (vec![V1], "--html"),
        (vec!["--html", "-"], "FILE"),
    ] {
        let (code, stdout, stderr) = report(&arguments);
        let said = stderr.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    let (code, _, stderr) = report(&[V1, "--html", "/proc/none/page.html"]);
    assert!(code == 3 && stderr.contains("/proc/none/page.html"), "{code}: {stderr}");
}

const CELL: &str = r#"td[aria-label^="rebind, docker-v2, host"]"#;

#[test]
fn a_reader_filters_and_opens_a_cell() {
    let Some(browser) = Browser::start() else { return };
    let (_folder, file) = page(&[V1, V2]);
    browser.open(&file, "");
    let cells = || browser.run("return document.querySelectorAll('#table td[tabindex]').length").as_u64().unwrap();
    let count = || browser.text("return document.getElementById('count').textContent");
    let all = cells();
    assert_eq!(browser.text("return document.querySelector('#table thead tr').textContent"), "hostdocker-v1docker-v2");

    // By verdict.
    browser.click(r#"label[data-word="pass"] input"#);
    browser.click(r#"label[data-word="skipped"] input"#);
    browser.click(r#"label[data-word="not applicable"] input"#);
    assert!(cells() < all && cells() > 0, "{} of {all}", cells());
    assert!(browser.text("return location.hash").contains("hide="));
    browser.click("#reset");
    assert_eq!(cells(), all);

    // By words, also those of a log.
    browser.keys("/");
    browser.click("#search");
    browser.keys("\"read-only file system\"");
    browser.wait("return document.getElementById('count').textContent.startsWith('6 of')");
    browser.click("#reset");
    assert!(count().contains(" cases shown"), "{}", count());

    // Other axes.
    browser.run("const rows = document.getElementById('rows'); rows.value = 'scenario'; rows.dispatchEvent(new Event('change'))");
    assert!(browser.text("return document.querySelector('#table tbody').textContent").contains("cgroups/dir"));
    browser.click("#reset");

    // A cell, its case, and what flips it.
    browser.click(CELL);
    assert!(browser.text("return document.querySelector('#panel h2').textContent").contains("setup_mode=rebind"));
    browser.click("#panel .case summary");
    let body = || browser.text("return document.querySelector('#panel .case[open] .body').textContent");
    for words in [
        "Expected and seen",
        "What flips it",
        "docker create",
        "podman create",
        "cgroup mounts",
        "step ls: exit code 0 ls",
    ] {
        assert!(body().contains(words), "{words}: {}", body());
    }
    browser.click("#panel .flip .link");
    assert!(
        body().contains("setup_mode=") && !body().contains("setup_mode=rebind,cgroupns=host,cgroup_mode=unified] @")
    );

    // The address brings a reader back to the same.
    let (hash, before) = (browser.text("return location.hash"), body());
    browser.open(&file, "?again");
    browser.open(&file, &hash);
    assert_eq!(body(), before);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.run("return performance.getEntriesByType('resource').length"), 0);
}

#[test]
fn the_keyboard_alone_does_it() {
    let Some(browser) = Browser::start() else { return };
    let (_folder, file) = page(&[V1, V2]);
    browser.open(&file, "");
    browser.run("document.querySelector('#table td[tabindex=\"0\"]').focus()");
    let focus =
        || browser.text("return document.activeElement.getAttribute('aria-label') || document.activeElement.id");
    let start = focus();
    browser.keys(DOWN);
    browser.keys(RIGHT);
    assert_ne!(focus(), start);
    assert_eq!(browser.run("return document.querySelectorAll('#table td[tabindex=\"0\"]').length"), 1);
    assert_ne!(browser.text("return getComputedStyle(document.activeElement).outlineStyle"), "none");
    let cell = focus();
    browser.keys(ENTER);
    assert_eq!(focus(), "Cases of the cell");
    browser.keys(ESCAPE);
    assert_eq!(focus(), cell);
    assert_eq!(browser.run("return document.getElementById('panel').hidden"), true);
    browser.keys("/");
    assert_eq!(focus(), "search");
}

#[test]
fn a_deciding_line_is_marked_and_a_hostile_log_is_text() {
    let Some(browser) = Browser::start() else { return };
    let words = "</script><img src=x onerror=\"document.title='gone'\"><b>bold</b>";
    let mut value: Value = serde_json::from_slice(&std::fs::read(folder().join(V1)).unwrap()).unwrap();
    let broken =
        value["cases"].as_array_mut().unwrap().iter_mut().find(|case| !case["boot"]["deciding_line"].is_null());
    let broken = broken.unwrap();
    broken["boot"]["console"] = format!("{words}\r\nFailed: {words}\r\nlast\r\n").into();
    broken["boot"]["deciding_line"] = format!("Failed: {words}").into();
    broken["title"] = words.into();
    let id = format!("{} @ docker-v1", broken["id"].as_str().unwrap());
    let reports = tempfile::tempdir().unwrap();
    let hostile = reports.path().join("hostile.json");
    std::fs::write(&hostile, value.to_string()).unwrap();
    let (_folder, file) = page(&[hostile.to_str().unwrap()]);
    browser.open(&file, "");
    browser.run(&format!("goTo(page.cases.findIndex((item) => keyOf(item) === {}))", Value::from(id)));
    let marked = "return [...document.querySelectorAll('#panel .case[open] pre mark')].map((mark) => mark.textContent).join('|')";
    assert_eq!(browser.text(marked), format!("Failed: {words}|Failed: {words}"));
    assert_eq!(browser.run("return document.images.length + document.querySelectorAll('#panel pre b').length"), 0);
    assert_eq!(browser.text("return document.title"), "systemd in containers: what works");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn it_is_readable_in_light_and_dark_and_in_print() {
    let Some(browser) = Browser::start() else { return };
    let (_folder, file) = page(&[V1, V2]);
    browser.open(&file, "");
    browser.click(CELL);
    browser.click("#panel .case summary");
    browser.run("scrollTo(0, 0)");
    // Contrast as WCAG counts it, of every cell, chip and line of text that is shown.
    let worst = r"
        const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
        const light = (colour) => {
            const [r, g, b] = channels(colour).map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const back = (element) => {
            for (let at = element; at; at = at.parentElement) {
                const colour = getComputedStyle(at).backgroundColor;
                if (channels(colour)[3] !== 0) return colour;
            }
        };
        let worst = 99;
        for (const element of document.querySelectorAll('td, th, p, li, pre, mark, span, summary, label, button, h1, h2, h3')) {
            if (!element.textContent.trim() || !element.checkVisibility()) continue;
            const [a, b] = [light(getComputedStyle(element).color), light(back(element))].sort((x, y) => y - x);
            worst = Math.min(worst, (a + 0.05) / (b + 0.05));
        }
        return worst";
    for (media, scheme) in [("screen", "light"), ("screen", "dark"), ("print", "dark")] {
        browser.media(media, scheme);
        let contrast = browser.run(worst).as_f64().unwrap();
        assert!(contrast >= 4.5, "{media} {scheme}: {contrast}");
        let shown = browser.run("return document.getElementById('rows').checkVisibility()");
        assert_eq!(shown, media == "screen");
    }
}

/// Of the reports that `make picture REPORTS=…` names, or else of the tests' own.
#[test]
fn the_readmes_picture_shows_a_cell_that_is_open() {
    let Some(browser) = Browser::start() else { return };
    let named = std::env::var("SDC_ENGINE_REPORTS").unwrap_or_default();
    let named: Vec<&str> = named.split_whitespace().collect();
    let (_folder, file) = page(if named.is_empty() { &[V1, V2] } else { &named });
    browser.open(&file, "");
    browser.media("screen", "light");
    browser.resize(1180, 1500);
    browser.click(r#"td[aria-label^="cgroupns_simple, docker-v1, host"]"#);
    browser.click("#panel .case summary");
    browser.run("document.activeElement.blur(); scrollTo(0, 0)");
    let picture = browser.picture();
    assert!(picture.starts_with(b"\x89PNG") && picture.len() < 300_000, "{} bytes", picture.len());
    if let Some(path) = std::env::var_os("SDC_ENGINE_SCREENSHOT") {
        std::fs::write(path, picture).unwrap();
    }
}
