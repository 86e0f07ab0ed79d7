//! Pieces of records, in order → what has to be written between them, where a file is one document.
//!
//! Invariant: each file is opened once and closed once, and stands on one line.

use super::compression::Compression;

/// The documents of a run, while they are written.
#[derive(Debug)]
pub(crate) struct Documents {
    /// What opens and what closes a document; nothing is written around lines.
    ends: Option<[&'static str; 2]>,
    compression: Compression,
    open: Option<i64>,
}

/// Bytes to write into a file.
#[derive(Debug, Default)]
pub(crate) struct Joint {
    /// Their number before they were compressed.
    pub(crate) length: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Documents {
    pub(crate) fn new(ends: Option<[&'static str; 2]>, compression: Compression) -> Self {
        Self { ends, compression, open: None }
    }

    /// What closes the file that is open, if the next piece is in another one, and what comes before that.
    pub(crate) fn before(&mut self, file: i64) -> (Option<(i64, Joint)>, Joint) {
        let Some([open, _]) = self.ends else { return (None, Joint::default()) };
        if self.open == Some(file) {
            return (None, self.joint(","));
        }
        let closed = self.close();
        self.open = Some(file);
        (closed, self.joint(open))
    }

    /// What closes the file that is open.
    pub(crate) fn close(&mut self) -> Option<(i64, Joint)> {
        let (Some([_, close]), Some(file)) = (self.ends, self.open.take()) else { return None };
        Some((file, self.joint(&format!("{close}\n"))))
    }

    fn joint(&self, text: &str) -> Joint {
        let mut bytes = Vec::new();
        match self.compression {
            Compression::None => bytes.extend_from_slice(text.as_bytes()),
            _ => self.compression.compressor().append(text.as_bytes(), &mut bytes),
        }
        Joint { length: text.len(), bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_a_document() {
        let mut documents = Documents::new(Some(["[", "]"]), Compression::None);
        let mut files = vec![String::new(); 3];
        let mut put = |file: i64, text: &[u8]| {
            let file: &mut String = &mut files[usize::try_from(file).unwrap()];
            file.push_str(std::str::from_utf8(text).unwrap());
        };
        for (file, piece) in [(0, "a,b"), (0, "c"), (2, "d")] {
            let (closed, joint) = documents.before(file);
            if let Some((file, joint)) = closed {
                put(file, &joint.bytes);
            }
            assert_eq!(joint.length, joint.bytes.len());
            put(file, &joint.bytes);
            put(file, piece.as_bytes());
        }
        let (file, joint) = documents.close().unwrap();
        put(file, &joint.bytes);
        assert_eq!(files, ["[a,b,c]\n", "", "[d]\n"]);
        assert!(documents.close().is_none());
    }

    #[test]
    fn nothing_is_around_lines() {
        let mut documents = Documents::new(None, Compression::Gzip);
        let (closed, joint) = documents.before(0);
        assert!(closed.is_none() && joint.bytes.is_empty() && documents.close().is_none());
    }
}
