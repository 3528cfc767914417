//! Every message that the sources have is in a snapshot, word for word.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Where the messages are, and where they are shown. What a recipe says is run, too.
const SOURCES: [&str; 2] = ["src", "../../crates/client/src"];
const SNAPSHOTS: [&str; 3] =
    ["tests/commands/snapshots", "../../crates/client/tests/snapshots", "../../docs/operators.md"];

/// Text that is in no snapshot, each with the reason: the end of the file's path, and the beginning of the text.
const NOT_SHOWN: &[(&str, &str, &str)] = &[
    ("client/src/apply.rs", "it is shorter than its header", "the length was checked before"),
    ("client/src/apply.rs", "its outcomes have another length", "the length was checked before"),
    ("client/src/rows.rs", "its rows have another length", "they were divided by that length"),
    ("src/processes.rs", "", "what threads are called in a debugger"),
    ("src/windows/inf.rs", "", "a command line for Windows"),
    ("src/windows/verifier.rs", "", "a key of the registry"),
    ("src/wanted.rs", " at line ", "what is cut off the end of serde_json's messages"),
    ("src/report/hold.rs", "it passed", "why a check failed is never that it passed"),
    ("src/report/service.rs", "an unknown image", "there always is an image where there is a service"),
    (
        "src/commands/selftest/",
        "",
        "a scenario's words for what it does; those that a broken driver makes it say are shown",
    ),
];

#[test]
fn every_message_is_in_a_snapshot() {
    let shown = shown();
    let mut excused = [false; NOT_SHOWN.len()];
    let mut missing = Vec::new();
    for file in SOURCES.iter().flat_map(|folder| files(&root().join(folder), "rs")) {
        let source = fs::read_to_string(&file).expect("it can be read");
        let path = file.to_string_lossy().replace('\\', "/");
        for text in texts(source.parse().expect("it is Rust")) {
            if pieces(&text).all(|piece| shown.contains(&piece)) {
                continue;
            }
            match NOT_SHOWN.iter().position(|(place, start, _)| path.contains(place) && text.starts_with(start)) {
                Some(position) => excused[position] = true,
                None => missing.push(format!("{path}: {text:?}")),
            }
        }
    }
    assert!(missing.is_empty(), "no test shows these messages:\n{}", missing.join("\n"));
    let needless: Vec<_> = NOT_SHOWN.iter().zip(excused).filter(|(_, excused)| !excused).map(|(it, _)| it).collect();
    assert!(needless.is_empty(), "these are shown, or are not there any more: {needless:?}");
}

/// The control: text is found wherever a message may stand, and nothing else is.
#[test]
fn messages_are_found_in_sources() {
    let source = r#"
        //! No message here.
        /// Nor "in here".
        #[arg(value_name = "nor in here")]
        const ADVICE: &str = "Say \
            it again";
        fn message(count: usize) -> String {
            let found = thing().expect("what can't be otherwise");
            match count { 0 => "none".into(), _ => format!("there are {count} of {{them}}: {}", found) }
        }
        #[cfg(test)]
        mod tests { const OTHER: &str = "not in tests"; }
    "#;
    assert_eq!(texts(source.parse().expect("it is Rust")), ["Say it again", "there are {count} of {{them}}: {}"]);
    assert_eq!(pieces("there are {count} of {{them}}: {}").collect::<Vec<_>>(), ["there are", "of {them}:"]);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a path, or the file that it is.
fn files(path: &Path, extension: &str) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let files = entries.flat_map(|path| if path.is_dir() { files(&path, extension) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|its| its == extension)).collect()
}

/// Everything that is shown, in one line, as people see it and not as JSON and snapshots write it.
fn shown() -> String {
    let snapshots = SNAPSHOTS.iter().flat_map(|place| files(&root().join(place), "snap"));
    let text: String = snapshots
        .map(|file| {
            let text = fs::read_to_string(file).expect("it can be read");
            // What stands above is the test's.
            text.splitn(3, "---\n").last().unwrap_or_default().to_owned()
        })
        .collect();
    in_one_line(&text.replace("\\\"", "\"").replace("\\\\", "\\"))
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What of a message is the same whatever is put into it.
fn pieces(text: &str) -> impl Iterator<Item = String> {
    const BRACES: [(&str, &str); 2] = [("{{", "\u{1}"), ("}}", "\u{2}")];
    let marked = BRACES.iter().fold(text.to_owned(), |text, (brace, mark)| text.replace(brace, mark));
    let fixed: Vec<String> = marked
        .split('{')
        .enumerate()
        .map(|(position, part)| match (position, part.split_once('}')) {
            (1.., Some((_, behind))) => behind.to_owned(),
            _ => part.to_owned(),
        })
        .map(|part| in_one_line(&part.replace('\u{1}', "{").replace('\u{2}', "}")))
        .collect();
    fixed.into_iter().filter(|piece| piece.chars().filter(|character| character.is_alphabetic()).count() > 1)
}

/// The text of several words in a source: neither in attributes, which comments are for the compiler, nor in tests, nor as the
/// reason of a panic that never comes.
fn texts(source: TokenStream) -> Vec<String> {
    let mut texts = Vec::new();
    let mut tokens = source.into_iter().peekable();
    let (mut is_in_test, mut is_panic) = (false, false);
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let _inner = tokens.next_if(|next| matches!(next, TokenTree::Punct(punct) if punct.as_char() == '!'));
                let attribute = tokens.next().map(|attribute| attribute.to_string()).unwrap_or_default();
                is_in_test |= attribute.replace(' ', "") == "[cfg(test)]";
            }
            TokenTree::Ident(ident) => {
                is_panic = ["expect", "panic", "unreachable", "assert"].iter().any(|it| ident == it);
            }
            TokenTree::Group(group) => {
                if !(is_in_test || is_panic) {
                    texts.extend(self::texts(group.stream()));
                }
                is_in_test &= group.delimiter() != Delimiter::Brace;
                is_panic = false;
            }
            TokenTree::Literal(literal) => {
                let text = syn::parse2::<syn::LitStr>(TokenTree::from(literal).into()).map(|text| text.value());
                texts.extend(text.ok().filter(|text| text.trim().contains(' ')));
            }
            TokenTree::Punct(_) => {}
        }
    }
    texts
}
