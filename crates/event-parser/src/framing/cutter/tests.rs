//! Texts of all framings → their blocks: are they the text, and whole?

use super::{super::Unit, *};

/// Cuts `text` into blocks of at most `block_bytes` (or one line).
fn blocks_of(text: &[u8], block_bytes: usize) -> Vec<Block> {
    let mut reader = Cutter::new(text, block_bytes);
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block(Buffer::default()).unwrap() {
        blocks.push(block);
    }
    assert_eq!(reader.offset(), text.len() as u64);
    blocks
}

#[test]
fn concatenated_blocks_are_the_text_whatever_their_size() {
    let text = b"a\nbb\n\nccc\r\ndddd\neeeee\n\n\nlast line without a newline";
    for block_bytes in 1..text.len() + 2 {
        let blocks = blocks_of(text, block_bytes);
        let mut offset = 0;
        for (number, block) in blocks.iter().enumerate() {
            assert_eq!((block.number as usize, block.offset), (number, offset), "{block_bytes}");
            assert!(block.content == Content::Lines && !block.bytes.is_empty());
            let last = number + 1 == blocks.len();
            assert!(last || block.bytes.ends_with(b"\n"), "{block_bytes}: {block:?}");
            offset += block.bytes.len() as u64;
        }
        assert_eq!(blocks.into_iter().flat_map(|block| block.bytes.to_vec()).collect::<Vec<_>>(), text);
    }
}

#[test]
fn an_over_long_line_comes_in_fragments_and_the_lines_around_it_whole() {
    let long = vec![b'x'; LINE_BYTES_MAX + 9 * FRAGMENT_BYTES + 5];
    let text = [b"before\n".as_slice(), &long, b"\nafter\n"].concat();
    let blocks = blocks_of(&text, 4 << 20);
    let (mut lines, mut seen) = (Vec::new(), 0);
    for block in blocks {
        match block.content {
            Content::Lines => lines.extend_from_slice(&block.bytes),
            Content::Fragment(fragment) => {
                assert_eq!(fragment.bytes_before, seen);
                assert_eq!(seen % FRAGMENT_BYTES as u64, 0);
                seen += block.bytes.len() as u64;
            }
            Content::Elements(_) => panic!("no array"),
        }
    }
    assert_eq!((lines.as_slice(), seen), (b"before\nafter\n".as_slice(), long.len() as u64));
}

/// The elements of an array: text and offset.
fn elements_of(text: &[u8], block_bytes: usize) -> Vec<(u64, Vec<u8>)> {
    let mut offset = 0;
    let mut found = Vec::new();
    for block in blocks_of(text, block_bytes) {
        assert_eq!(block.offset, offset);
        offset += block.bytes.len() as u64;
        let Content::Elements(elements) = block.content else { panic!("{:?}", block.content) };
        let element =
            |Element { range, .. }: Element| (block.offset + range.start as u64, block.bytes[range].to_vec());
        found.extend(elements.into_iter().map(element));
    }
    found
}

#[test]
fn elements_are_the_same_whatever_the_size_of_the_blocks() {
    let text =
        "\u{FEFF}\n [{\"a\": [1, \"]},\\\"\"]}, {}, 12 , \"é,[\" {}\n,, [[]],\n]\n x \n\n{}\n".as_bytes();
    let whole = elements_of(text, 4 << 20);
    let raws: Vec<_> = whole.iter().map(|(_, raw)| std::str::from_utf8(raw).unwrap()).collect();
    assert_eq!(raws, ["{\"a\": [1, \"]},\\\"\"]}", "{}", "12", "\"é,[\"", "{}", ",", "[[]]", "]", "x", "{}"]);
    for block_bytes in 1..text.len() + 2 {
        assert_eq!(elements_of(text, block_bytes), whole, "{block_bytes}");
    }
}

#[test]
fn an_over_long_element_comes_in_fragments_and_its_neighbours_whole() {
    let long = [b"{\"a\":\"".as_slice(), &vec![b'\n'; LINE_BYTES_MAX + 9 * FRAGMENT_BYTES], b"\"}"].concat();
    let text = [b"[1,\n".as_slice(), &long, b"\n, 2\n]"].concat();
    let (mut around, mut seen, mut newlines) = (Vec::new(), 0, 0);
    for block in blocks_of(&text, 4 << 20) {
        match block.content {
            Content::Elements(elements) => {
                around.extend(elements.into_iter().map(|element| block.bytes[element.range].to_vec()));
            }
            Content::Fragment(fragment) => {
                assert_eq!((fragment.bytes_before, fragment.newlines_before), (seen, newlines));
                assert_eq!(block.offset - fragment.bytes_before, 4);
                seen += block.bytes.len() as u64;
                newlines += u64::from(fragment.newlines);
            }
            Content::Lines => panic!("an array"),
        }
    }
    assert_eq!(around, [b"1", b"2"]);
    assert_eq!((seen, newlines), (long.len() as u64, (LINE_BYTES_MAX + 9 * FRAGMENT_BYTES) as u64));
}

#[test]
fn an_array_without_its_end_fails_where_its_last_element_begins() {
    let long = format!("[1, {{\"a\": \"{}", "x".repeat(LINE_BYTES_MAX + 9 * FRAGMENT_BYTES));
    let closed = format!("{long}\"}}");
    for (text, offset) in [
        ("[", 1),
        ("\n[{}", 4),
        ("[{}, ", 5),
        ("[{}, {\"a\": 1", 5),
        ("[{}, \"]", 5),
        (&long, 4),
        (&closed, closed.len() as u64),
    ] {
        for block_bytes in [1 + text.len() / 7, 4 << 20] {
            let mut reader = Cutter::new(text.as_bytes(), block_bytes);
            let error = loop {
                match reader.next_block(Buffer::default()) {
                    Ok(block) => assert!(block.is_some(), "no error for {}", &text[..text.len().min(20)]),
                    Err(error) => break error,
                }
            };
            assert!(error.offset == offset, "{offset}: {error}");
            assert!(reader.next_block(Buffer::default()).unwrap().is_none());
        }
    }
}

/// The records and documents of a text, each shown by its first bytes, its length and its offset; fragments
/// put together.
fn pieces_of_documents(text: &[u8], block_bytes: usize) -> Vec<String> {
    let records = Arc::new(Records::new(&["a[]".parse().unwrap(), ".".parse().unwrap()], &["k".to_owned()]));
    let mut cutter = Cutter::new(text, block_bytes).framed(Framing::Documents).with_records(&records);
    let mut found: Vec<(String, u64, usize)> = Vec::new();
    let mut offset = 0;
    while let Some(block) = cutter.next_block(Buffer::default()).unwrap() {
        assert_eq!(block.offset, offset);
        let from = usize::try_from(offset).unwrap();
        assert_eq!(Some(&*block.bytes), text.get(from..from + block.bytes.len()));
        offset += block.bytes.len() as u64;
        match block.content {
            Content::Lines => panic!("documents"),
            Content::Fragment(Fragment { bytes_before: 0, .. }) => {
                found.push(("fragments".to_owned(), block.offset, block.bytes.len()));
            }
            Content::Fragment(fragment) => {
                let (_, start, length) = found.last_mut().unwrap();
                assert_eq!(
                    (block.offset - *start, *length as u64),
                    (fragment.bytes_before, fragment.bytes_before)
                );
                *length += block.bytes.len();
            }
            Content::Elements(elements) => {
                for Element { range, due, unit } in elements {
                    let text =
                        String::from_utf8_lossy(&block.bytes[range.start..range.end.min(range.start + 9)]);
                    let around = match unit {
                        Unit::Record(Some(text)) => String::from_utf8(text.to_vec()).unwrap(),
                        unit => format!("{unit:?}"),
                    };
                    let what = format!("{around} {}{text}", if due.is_some() { "!" } else { "" });
                    found.push((what, block.offset + range.start as u64, range.len()));
                }
            }
        }
    }
    assert_eq!(offset, text.len() as u64);
    found.into_iter().map(|(what, offset, length)| format!("{what} {offset} {length}")).collect()
}

#[test]
fn a_document_that_goes_by_may_have_anything_that_is_too_long() {
    let long = "x".repeat(LINE_BYTES_MAX + 9 * FRAGMENT_BYTES);
    let filled = format!("{{\"k\":1,\"a\":[{{}},\"{long}\"");
    let at = filled.len();
    for (text, expected) in [
        // Its own end, and a document behind it.
        (
            format!("{filled},{{}}],\"z\":[]}}{{\"b\":2}}"),
            vec![
                "{\"k\":1} {} 12 2".to_owned(),
                format!("fragments 15 {}", at - 15),
                format!("{{\"k\":1}} {{}} {} 2", at + 1),
                format!("Document {{\"b\":2}} {} 7", at + 12),
            ],
        ),
        // Broken around its records.
        (
            format!("{filled}],\"z\" 1}}\n{{}}"),
            vec![
                "{\"k\":1} {} 12 2".to_owned(),
                format!("fragments 15 {}", at - 15),
                format!("Record(None) !],\"z\" 1}} {at} 8"),
                format!("Document {{}} {} 2", at + 9),
            ],
        ),
        // The next document begins in its list.
        (
            format!("{filled}\n{{\"c\":3}}"),
            vec![
                "{\"k\":1} {} 12 2".to_owned(),
                format!("fragments 15 {}", at - 15),
                format!("Record(None) ! {at} 0"),
                format!("Document {{\"c\":3}} {} 7", at + 1),
            ],
        ),
        // Too long around its records.
        (
            format!("{{\"a\":[{{}}],\"z\":\"{long}\"}}{{}}"),
            vec![
                "{} {} 6 2".to_owned(),
                format!("fragments 9 {}", long.len() + 8),
                format!("Document {{}} {} 2", long.len() + 17),
            ],
        ),
        // Too long before its records: they are not looked for.
        (
            format!("{{\"z\":\"{long}\",\"a\":[{{}}]}}{{}}"),
            vec![format!("fragments 0 {}", long.len() + 17), format!("Document {{}} {} 2", long.len() + 17)],
        ),
    ] {
        let shown = |pieces: Vec<String>| pieces.join("\n");
        for block_bytes in [1 << 20, 3 << 20, 40 << 20] {
            if block_bytes > LINE_BYTES_MAX && text.len() < block_bytes {
                // All of it is in one block: whoever reads it cuts it.
                continue;
            }
            assert_eq!(shown(pieces_of_documents(text.as_bytes(), block_bytes)), shown(expected.clone()));
        }
    }
}
