//! The house rules that need the syntax tree: glob imports, inline tests, GREASE constants.

use std::error::Error;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    ItemMod, LitInt, Macro, UseGlob,
    visit::{self, Visit},
};

use crate::{
    finding::Finding,
    source::{SourceFile, only_in_tests},
};

/// The one home of GREASE values; everything else treats them as unknown.
const GREASE_HOME: &str = "message/grease.rs";

/// Findings of one production file. An error is a file that does not parse.
pub(crate) fn check(file: &SourceFile) -> Result<Vec<Finding>, Box<dyn Error>> {
    let mut checker = Checker { file, findings: Vec::new() };
    checker.visit_file(&file.parse()?);
    Ok(checker.findings)
}

struct Checker<'a> {
    file: &'a SourceFile,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn add(&mut self, span: Span, what: &str) {
        self.findings.push(Finding::new(&self.file.path, span.start().line, what));
    }

    fn check_number(&mut self, literal: &str, span: Span) {
        if is_grease(literal) && !self.file.path.ends_with(GREASE_HOME) {
            // GRS-03 (Section 13.5): receiving code has no list of these values.
            self.add(span, "a GREASE value outside message/grease.rs");
        }
    }

    fn check_tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.check_tokens(group.stream()),
                TokenTree::Literal(literal) => self.check_number(&literal.to_string(), literal.span()),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Checker<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !only_in_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        } else if item.content.is_some() {
            self.add(item.ident.span(), "tests live in a file of their own, `tests.rs`");
        }
    }

    fn visit_use_glob(&mut self, glob: &'ast UseGlob) {
        self.add(glob.star_token.spans[0], "a glob import; name what is used");
    }

    fn visit_lit_int(&mut self, literal: &'ast LitInt) {
        self.check_number(&literal.to_string(), literal.span());
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.check_tokens(call.tokens.clone());
    }
}

/// Sixteen-bit hexadecimal numbers of the form `0x?A?A` with equal bytes, except `0xFAFA`, which is for private use.
fn is_grease(literal: &str) -> bool {
    let digits = literal.replace('_', "").to_ascii_lowercase();
    let Some(digits) = digits.strip_prefix("0x") else { return false };
    match digits.trim_end_matches("u16").as_bytes() {
        [high, b'a', low, b'a'] => high == low && *high != b'f',
        _ => false,
    }
}
