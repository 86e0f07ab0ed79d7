//! Are containers and encodings that are not read refused by their names?

use crate::support::{
    events::{account_open, file_of},
    files::{assert_same_tree, published},
    forms::{gzip, zstd},
    workdir::Workdir,
};

/// Each source begins like what it is; of most, more is not needed.
fn foreign() -> Vec<(&'static str, Vec<u8>)> {
    let line = account_open("a", "2024-10-10T12:00:00", 1) + "\n";
    let wide = |unit: usize, is_little: bool, mark: char| {
        let units = mark.to_string() + &line;
        let bytes = |c: char| {
            let mut bytes = u32::from(c).to_le_bytes()[..unit].to_vec();
            if !is_little {
                bytes.reverse();
            }
            bytes
        };
        units.chars().filter(|c| *c != '\0').flat_map(bytes).collect::<Vec<u8>>()
    };
    let mut tar = vec![0; 512];
    tar[..9].copy_from_slice(b"in.json.x");
    tar[257..263].copy_from_slice(b"ustar\0");
    let mut sources = vec![
        ("bzip2", b"BZh91AY&SY\xBB}\xCF\"\0\0".to_vec()),
        ("bzip2", b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0".to_vec()),
        ("xz", b"\xFD7zXZ\0\0\x04\xE6\xD6\xB4F".to_vec()),
        ("lz4", b"\x04\x22\x4D\x18\x64\x40\xA7".to_vec()),
        ("zip", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec()),
        ("7z", b"7z\xBC\xAF\x27\x1C\0\x04".to_vec()),
        ("snappy", b"\xFF\x06\0\0sNaPpY".to_vec()),
        ("Parquet", b"PAR1\x15\x04\x15\x10".to_vec()),
        ("ORC", b"ORC\xE3\x92\xE1\x62".to_vec()),
        ("Avro", b"Obj\x01\x04\x14avro.codec".to_vec()),
        ("zlib", b"x\x9C\xAB\x56\x4A".to_vec()),
        ("tar", [tar.clone(), line.clone().into_bytes()].concat()),
        ("UTF-16", wide(2, true, '\u{FEFF}')),
        ("UTF-16", wide(2, false, '\u{FEFF}')),
        ("UTF-16", wide(2, true, '\0')),
        ("UTF-16", wide(2, false, '\0')),
        ("UTF-32", wide(4, true, '\u{FEFF}')),
        ("UTF-32", wide(4, false, '\u{FEFF}')),
        ("UTF-32", wide(4, true, '\0')),
        ("UTF-32", wide(4, false, '\0')),
    ];
    // What is compressed twice, or an archive that is compressed, as most are.
    sources.push(("the text in its gzip data is tar", gzip(&tar)));
    sources.push(("the text in its zstd data is UTF-16", zstd(&wide(2, true, '\u{FEFF}'))));
    sources.push(("the text in its gzip data is gzip", gzip(&gzip(line.as_bytes()))));
    sources
}

#[test]
fn what_is_not_read_is_refused_by_its_name_and_changes_nothing() {
    let dir = Workdir::new();
    let good = dir.write("good.json", file_of([account_open("b", "2024-10-10T12:00:00", 1)]));
    dir.loader().source(&good).arg("--backfill").succeeds();
    let before = published(&dir.target());
    for (name, bytes) in foreign() {
        let source = dir.write("in.json", &bytes);
        let loaded = dir.loader().source(&good).source(&source).arg("--backfill");
        loaded.exits(1).says(&["in.json", name, "nothing was changed"]);
        dir.loader().source("-").stdin(bytes).arg("--backfill").exits(1).says(&[name]);
        dir.bare_loader().args(["catalog", "check"]).arg(&source).exits(1).says(&["in.json", name]);
        assert_same_tree(&before, &published(&dir.target()), name);
    }
}

/// Text that begins like a container is text.
#[test]
fn a_line_that_looks_like_a_container_is_a_bad_line() {
    let dir = Workdir::new();
    let good = account_open("a", "2024-10-10T12:00:00", 1);
    for line in ["BZh9 is a name", "ORCHID,1", "PAR1", "Obj", "x", "PK", "\0\0\0", "]"] {
        let source = dir.write("in.json", file_of([line, &good]));
        let outcome = dir.loader().source(source).arg("--backfill").succeeds();
        assert_eq!((outcome.count("quarantined.total"), outcome.count("written")), (1, 1), "{line:?}");
    }
}

/// gzip, too, takes zeros behind its members for padding; everything else is damage.
#[test]
fn zeros_behind_gzip_members_are_padding() {
    let dir = Workdir::new();
    let line = |id: &str| account_open(id, "2024-10-10T12:00:00", 1) + "\n";
    let members = [gzip(line("a").as_bytes()), gzip(line("b").as_bytes())].concat();
    for zeros in [1, 2, 511, 600_000] {
        let source = dir.write("in.gz", [members.clone(), vec![0; zeros]].concat());
        let outcome = dir.loader().source(source).arg("--backfill").succeeds();
        assert_eq!(outcome.count("written"), 2, "{zeros} zeros: {outcome}");
    }
    let compressed = zstd(line("a").as_bytes());
    for (what, bytes) in [
        ("text", [members.clone(), b"\n".to_vec()].concat()),
        ("a member behind zeros", [members.clone(), vec![0; 9], members.clone()].concat()),
        ("a newline behind zstd", [compressed.clone(), b"\n".to_vec()].concat()),
        ("zeros behind zstd", [compressed.clone(), vec![0; 3]].concat()),
        ("gzip behind zstd", [compressed, members].concat()),
    ] {
        let source = dir.write("in.gz", bytes);
        let outcome = dir.loader().source(source).arg("--backfill").exits(1);
        outcome.says(&["in.gz", "is damaged: something else follows it"]);
        assert!(!outcome.stderr.contains("breaks off"), "{what}: {outcome}");
    }
}
