//! Decisions read from bytes. When they are used up, every further decision is the first there is.

/// Bytes that decide.
#[derive(Debug)]
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// One of this many.
    pub(crate) fn of(&mut self, many: usize) -> usize {
        usize::from(self.byte()) % many.max(1)
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number: most often small, at times at an end of its range.
    pub(crate) fn number(&mut self) -> u32 {
        match self.byte() {
            small @ 0..=0xF9 => u32::from(small),
            0xFA => u32::MAX,
            0xFB => u32::MAX - u32::from(self.byte()),
            0xFC => 1 << 31,
            _ => u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()]),
        }
    }

    /// Up to 255 bytes, with their number before them.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    /// Up to seven of something.
    pub(crate) fn some<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.of(8)).map(|_| one(self)).collect()
    }

    /// What is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Changes bytes: nothing, one of them, their length, or an insertion.
    pub(crate) fn bend(&mut self, bytes: &mut Vec<u8>) {
        let at = self.number() as usize % bytes.len().max(1);
        match self.of(8) {
            1 if !bytes.is_empty() => bytes[at] ^= self.byte().max(1),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, self.byte()),
            4 if !bytes.is_empty() => drop(bytes.remove(at)),
            5 => bytes.extend_from_slice(self.bytes()),
            _ => {}
        }
    }
}
