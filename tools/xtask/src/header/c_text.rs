//! What cbindgen writes, put into the names and types that Windows headers use.

use std::fmt::Write as _;

/// The longest line.
pub(super) const WIDTH: usize = 120;

/// What stands before every name of the header.
const PREFIX: &str = "NETIO_ANYCAST_";

/// What documentation of Rust mentions by names that C does not have.
const WORDS: [(&str, &str); 13] = [
    ("AddressFamily::UNSPECIFIED", "AF_UNSPEC"),
    ("ApplyFlags", "NETIO_ANYCAST_APPLY_..."),
    ("CreateFlags", "NETIO_ANYCAST_CREATE_..."),
    ("DeleteFlags", "NETIO_ANYCAST_DELETE_..."),
    ("Features", "NETIO_ANYCAST_FEATURE_..."),
    ("INTERFACE_SIZE", "sizeof(NETIO_ANYCAST_INTERFACE)"),
    ("INTERFACE_VERSION", "NETIO_ANYCAST_INTERFACE_VERSION"),
    ("Luid::UNSET", "zero"),
    ("Operation", "operation"),
    ("PROTOCOL_VERSION", "NETIO_ANYCAST_PROTOCOL_VERSION"),
    ("Row", "row"),
    ("filter", "Filter"),
    ("resolved", "Resolved"),
];

/// Windows' names for the types that cbindgen writes as C's.
const TYPES: [(&str, &str); 5] =
    [("uint8_t", "UCHAR"), ("uint16_t", "USHORT"), ("uint32_t", "ULONG"), ("uint64_t", "ULONG64"), ("void", "VOID")];

/// The name of a Rust type in the header: `CreateRequest` is `NETIO_ANYCAST_CREATE_REQUEST`.
pub(super) fn type_name(name: &str) -> String {
    constant_name("", &in_capitals(name))
}

/// `CreateRequest` in capitals: `CREATE_REQUEST`.
fn in_capitals(name: &str) -> String {
    let mut result = String::new();
    let mut after_small_letter = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_small_letter {
            result.push('_');
        }
        after_small_letter = letter.is_ascii_lowercase();
        result.push(letter.to_ascii_uppercase());
    }
    result
}

/// The name of a constant in the header: `SHARED` of `CREATE` is `NETIO_ANYCAST_CREATE_SHARED`.
pub(super) fn constant_name(of: &str, name: &str) -> String {
    let separator = if of.is_empty() { "" } else { "_" };
    format!("{PREFIX}{of}{separator}{name}")
}

/// The name of a Rust field or parameter in the header: `row_count` is `RowCount`.
pub(super) fn pascal_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}

/// A comment of this text, wrapped; a line that is empty in it separates paragraphs.
pub(super) fn comment(indent: usize, text: &str) -> String {
    let margin = " ".repeat(indent);
    let one_line = format!("{margin}/* {} */\n", text.trim());
    if !text.trim().contains('\n') && one_line.len() <= WIDTH {
        return one_line;
    }
    let mut lines = String::new();
    for (number, paragraph) in text.trim().split("\n\n").enumerate() {
        if number > 0 {
            writeln!(lines, "{margin} *").expect("a string takes everything");
        }
        for line in wrap(paragraph, WIDTH - indent - 3) {
            writeln!(lines, "{margin} * {line}").expect("a string takes everything");
        }
    }
    format!("{margin}/*\n{lines}{margin} */\n")
}

fn wrap(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Puts cbindgen's text into the header's form.
pub(super) fn from_cbindgen(text: &str, names: &Names<'_>) -> String {
    let mut result = String::new();
    let mut documentation = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        if let Some(words) = line.trim_start().strip_prefix("//") {
            documentation.push_str(words.trim());
            documentation.push('\n');
            continue;
        }
        // Associated constants, whose values cbindgen does not know.
        if line.starts_with("#define") {
            documentation.clear();
            continue;
        }
        if !documentation.is_empty() {
            result += &comment(indent, &in_words(&documentation, names));
            documentation.clear();
        }
        // An enumeration with a type of its own is written once for each standard of C. Its constants do.
        if line.starts_with("enum ") {
            result += "enum {\n";
            lines.by_ref().find(|line| line.trim() == "{");
        } else if line.starts_with("#if") {
            lines.by_ref().find(|line| line.starts_with("#endif"));
        } else {
            result += &code(line);
        }
    }
    let blank_lines = result.trim().split("\n\n").filter(|part| !part.trim().is_empty());
    blank_lines.map(|part| part.trim_start_matches('\n').trim_end().to_owned() + "\n\n").collect()
}

/// A line of C.
fn code(line: &str) -> String {
    let mut line = line.to_owned();
    for (from, to) in TYPES {
        line = replace_word(&line, from, to);
    }
    line = replace_word(&line, "OPERATION_ROWS", &constant_name("", "OPERATION_ROWS"));
    match line.split_once("(*") {
        Some((result, rest)) => function(result, rest),
        None => line + "\n",
    }
}

/// A pointer to a function: `RESULT (*NAME)(PARAMETERS);`, cut in two at its first asterisk.
fn function(result: &str, rest: &str) -> String {
    let (name, parameters) = rest.split_once(")(").expect("cbindgen writes functions so");
    let parameters = parameters.trim_end_matches(");").split(", ").map(|parameter| {
        let start = parameter.rfind(|letter: char| !is_word(letter)).map_or(0, |position| position + 1);
        let (of_type, name) = parameter.split_at(start);
        format!("{of_type}{}", pascal_case(name))
    });
    let parameters: Vec<String> = parameters.collect();
    let line = format!("{result}(NTAPI *{name})({});\n", parameters.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    format!("{result}(NTAPI *{name})(\n      {});\n", parameters.join(",\n      "))
}

/// Documentation of Rust in the words of C: links are their text, names are those of the header.
fn in_words(documentation: &str, names: &Names<'_>) -> String {
    let text = without_links(documentation);
    // What stands between backticks is every other part.
    let parts = text.split('`').enumerate().map(|(number, part)| {
        if number % 2 == 1 {
            names.in_c(part)
        } else {
            part.replace("Netio", "NetIO").replace("this crate", "this header")
        }
    });
    let text: String = parts.collect();
    text.replace("An NETIO_", "A NETIO_").replace("an NETIO_", "a NETIO_").replace("....", "...")
}

/// The names of Rust that documentation may mention.
pub(super) struct Names<'a> {
    /// Structs.
    pub(super) structs: &'a [&'a str],
    /// Enumerations. In C there are their constants only.
    pub(super) enumerations: &'a [&'a str],
    /// Fields of structs.
    pub(super) fields: &'a [&'a str],
}

impl Names<'_> {
    fn in_c(&self, name: &str) -> String {
        if let Some((_, word)) = WORDS.iter().find(|(word, _)| *word == name) {
            return (*word).to_owned();
        }
        if let Some((of, constant)) = name.split_once("::") {
            let of = if of == "Features" { constant_name("FEATURE", "") } else { type_name(of) + "_" };
            return of + &in_capitals(constant);
        }
        if self.structs.contains(&name) {
            return type_name(name);
        }
        if self.enumerations.contains(&name) {
            return type_name(name) + "_...";
        }
        if self.fields.contains(&name) {
            return pascal_case(name);
        }
        name.to_owned()
    }
}

/// `[text](target)` and `[text]` become `text`.
fn without_links(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        let (name, after) = after.split_once("`]").unwrap_or((after, ""));
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        result += before;
        write!(result, "`{name}`").expect("a string takes everything");
        rest = target.map_or(after, |(_, rest)| rest);
    }
    result + rest
}

/// Replaces `from` where it is a word of its own.
fn replace_word(text: &str, from: &str, to: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        let alone = !before.ends_with(is_word) && !after.starts_with(is_word);
        result += before;
        result += if alone { to } else { from };
        rest = after;
    }
    result + rest
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_windows_headers() {
        assert_eq!(type_name("LeaseRow"), "NETIO_ANYCAST_LEASE_ROW");
        assert_eq!(pascal_case("max_leases_per_handle"), "MaxLeasesPerHandle");
        assert_eq!(constant_name("CREATE", "SHARED"), "NETIO_ANYCAST_CREATE_SHARED");
    }

    #[test]
    fn a_struct_of_cbindgen_becomes_one_of_windows() {
        let text = "// The [`Row`](crate::row::Row) of an [`Thing`]: `row_count`, a [`Kind`].\ntypedef struct {\n  \
                    // Not [`Kind::TooOdd`].\n  uint32_t RowCount;\n} NETIO_ANYCAST_THING;\n// Its value.\n\
                    #define THING_ALL {  }\n";
        let expected = "/* The row of a NETIO_ANYCAST_THING: RowCount, a NETIO_ANYCAST_KIND_... */\ntypedef struct {\n  \
                        /* Not NETIO_ANYCAST_KIND_TOO_ODD. */\n  ULONG RowCount;\n} NETIO_ANYCAST_THING;\n\n";
        let names = Names { structs: &["Thing"], enumerations: &["Kind"], fields: &["row_count"] };
        assert_eq!(from_cbindgen(text, &names), expected);
    }

    #[test]
    fn an_enumeration_of_cbindgen_becomes_its_constants() {
        let text = "enum A\n#if __STDC_VERSION__ >= 202311L\n  : uint8_t\n#endif\n {\n  A_ONE = 1,\n};\n\
                    #if __STDC_VERSION__ >= 202311L\ntypedef enum A A;\n#else\ntypedef uint8_t A;\n#endif\n";
        assert_eq!(
            from_cbindgen(text, &Names { structs: &[], enumerations: &[], fields: &[] }),
            "enum {\n  A_ONE = 1,\n};\n\n"
        );
    }

    #[test]
    fn functions_have_the_calling_convention_and_are_wrapped() {
        let short = "  void (*Free)(void *context, struct_t **table);";
        assert_eq!(code(short), "  VOID (NTAPI *Free)(VOID *Context, struct_t **Table);\n");
        let long = format!("  NTSTATUS (*Create)(void *context, const {} *row, uint32_t flags);", "X".repeat(90));
        let wrapped = code(&long);
        assert!(wrapped.contains("(NTAPI *Create)(\n      VOID *Context,\n      const X"), "{wrapped}");
    }

    #[test]
    fn long_comments_are_wrapped_and_keep_their_paragraphs() {
        let text = comment(2, &format!("{}\n\nEnd", "word ".repeat(40)));
        assert!(text.starts_with("  /*\n   * word word") && text.ends_with("word\n   *\n   * End\n   */\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= WIDTH));
    }
}
