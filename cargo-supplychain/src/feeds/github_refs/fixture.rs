//! For tests: lists of references as a git server gives them.

/// A pkt-line.
pub(super) fn line(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}

/// The answer with these objects and names.
pub(super) fn advertised(references: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("{}0000", line("# service=git-upload-pack\n"));
    for (place, (id, name)) in references.iter().enumerate() {
        let capabilities = if place == 0 { "\0multi_ack symref=HEAD:refs/heads/main agent=git/github" } else { "" };
        text.push_str(&line(&format!("{id} {name}{capabilities}\n")));
    }
    format!("{text}0000").into_bytes()
}
