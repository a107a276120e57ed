//! Every key of an `image.toml` and a `mode.toml`, with its meaning.

use crate::scenario::NOT_APPLICABLE;
use crate::schema::{Key, Shape, Table};

const TEXTS: Shape = Shape::List(&Shape::Text);

/// An `image.toml`.
pub(crate) static IMAGE: Table = Table {
    what: "an image.toml",
    id: "image",
    written: "An `image.toml`",
    doc: "`images/NAME/image.toml`: an image that scenarios use by its folder's name. It is used if the engine has it, else built \
          (`[build]`), else bootstrapped from Debian's packages (`[bootstrap]`); it needs one of the two.",
    keys: &[&[
        Key::needed("title", Shape::Text, "One line for people."),
        Key::needed("systemd", Shape::Int(1, 9999), "The major version of its systemd."),
        Key::needed("init", Shape::Some(&Shape::Text), "What PID 1 runs."),
        Key::needed("stop_signal", Shape::Text, "The signal that shuts it down; systemd's is `SIGRTMIN+3`."),
        Key::new("bootstrap", Shape::Table(&BOOTSTRAP), "How it is made from Debian's packages."),
        Key::new("build", Shape::Table(&BUILD), "How it is made from an image that a registry has."),
    ]],
    named: None,
};

/// `[bootstrap]`.
pub(crate) static BOOTSTRAP: Table = Table {
    what: "[bootstrap]",
    id: "bootstrap",
    written: "`[bootstrap]`",
    doc: "How the image is made by mmdebstrap.",
    keys: &[&[
        Key::needed("suite", Shape::Text, "Debian's, such as `bookworm`."),
        Key::needed("variant", Shape::Text, "mmdebstrap's, such as `minbase`."),
        Key::needed("packages", TEXTS, "Packages besides the variant's."),
        Key::new("options", TEXTS, "Arguments of mmdebstrap."),
        Key::new("customise", TEXTS, "Shell lines that are run with the root folder as `$1`."),
    ]],
    named: None,
};

/// `[build]`.
pub(crate) static BUILD: Table = Table {
    what: "[build]",
    id: "build",
    written: "`[build]`",
    doc: "How the image is built by the engine.",
    keys: &[&[
        Key::needed("dockerfile", Shape::Text, "The file's name, beside this one."),
        Key::needed("needs", Shape::Text, "The image that it starts from, as a registry names it."),
    ]],
    named: None,
};

/// A `mode.toml`.
pub(crate) static MODE: Table = Table {
    what: "a mode.toml",
    id: "mode",
    written: "A `mode.toml`",
    doc: "`images/setup/NAME/mode.toml`: a setup mode, a script that runs before systemd and then becomes it.",
    keys: &[&[
        Key::needed("title", Shape::Text, "One line on what it does."),
        Key::new("description", Shape::Template, "More of it, and sources."),
        Key::new(
            "script",
            Shape::Text,
            "The script's file, beside this one; without it systemd starts as the image has it.",
        ),
        Key::new("capabilities", TEXTS, "Capabilities that the script needs, without `CAP_`."),
        Key::new("not_applicable", Shape::List(&Shape::Table(&NOT_APPLICABLE)), "When it can't work by its nature."),
    ]],
    named: None,
};
