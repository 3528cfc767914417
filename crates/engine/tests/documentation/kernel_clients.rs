//! The code in `docs/kernel-clients.md` is that of the samples.

use std::fs;
use std::path::Path;

use crate::generated::read_document;

/// The sources that code of each language may be quoted from.
const SOURCES: [(&str, &[&str]); 2] = [
    ("c", &["kernel-client-c/anycast_client_c.c"]),
    ("rust", &["kernel-client-rust/src/client.rs", "kernel-client-rust/src/raised.rs"]),
];

fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of code in this language.
fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    document.split(start.as_str()).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect()
}

/// Those that stand in none of the sources.
fn invented<'a>(document: &'a str, language: &str, sources: &[String]) -> Vec<&'a str> {
    let quoted = |block: &&str| !sources.iter().any(|source| source.contains(*block));
    blocks(document, language).into_iter().filter(quoted).collect()
}

#[test]
fn what_is_quoted_stands_in_the_samples() {
    let document = read_document("kernel-clients.md");
    for (language, files) in SOURCES {
        let sources: Vec<String> = files.iter().map(|file| source(file)).collect();
        assert!(!blocks(&document, language).is_empty(), "nothing is quoted in {language}");
        assert_eq!(invented(&document, language, &sources), [""; 0]);
    }
}

#[test]
fn what_no_sample_has_is_noticed() {
    let document = "text\n```c\nfirst();\n```\nmore\n```c\nsecond();\n```\n```rust\nthird();\n```\n";
    assert_eq!(invented(document, "c", &["first();\n".to_owned()]), ["second();\n"]);
}
