//! The paths of a file that start at `crate`, `super` or `self`.
//!
//! In: a syntax tree and the module it is. Out: the top-level module that each such path leads to, with its line.
//! Always: imports, expressions, types, macro arguments and attribute strings are all looked at; doc comments and
//! items that exist only in tests are not.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::{
    Attribute, Expr, ExprLit, Item, ItemUse, Lit, Macro, Meta, Path, UseTree,
    visit::{self, Visit},
};

use crate::source::only_in_tests;

/// A path, reduced to where it leads.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Named {
    /// Top-level module; `None` for the crate root itself.
    pub(crate) module: Option<String>,
    /// Counted from one.
    pub(crate) line: usize,
}

/// Every path in `file` that names something of its own crate.
pub(crate) fn named_paths(file: &syn::File, module: &[String]) -> Vec<Named> {
    let mut collector = Collector { module: module.to_vec(), named: Vec::new() };
    collector.visit_file(file);
    collector.named
}

struct Collector {
    module: Vec<String>,
    named: Vec<Named>,
}

impl Collector {
    fn record(&mut self, segments: &[String], line: usize) {
        if let Some(absolute) = resolve(segments, &self.module) {
            self.named.push(Named { module: absolute.first().cloned(), line });
        }
    }

    fn record_use(&mut self, tree: &UseTree, mut prefix: Vec<String>, line: usize) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.record_use(&path.tree, prefix, line);
            }
            UseTree::Name(name) => self.record_leaf(prefix, name.ident.to_string(), line),
            UseTree::Rename(rename) => self.record_leaf(prefix, rename.ident.to_string(), line),
            UseTree::Glob(_) => self.record(&prefix, line),
            UseTree::Group(group) => {
                for item in &group.items {
                    self.record_use(item, prefix.clone(), line);
                }
            }
        }
    }

    fn record_leaf(&mut self, mut prefix: Vec<String>, leaf: String, line: usize) {
        // `use a::{self}` names `a`; a leading `self` is the module itself.
        if leaf != "self" || prefix.is_empty() {
            prefix.push(leaf);
        }
        self.record(&prefix, line);
    }

    fn record_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            match token {
                TokenTree::Group(group) => self.record_tokens(group.stream()),
                TokenTree::Literal(literal) => self.record_string(&literal.to_string(), literal.span().start().line),
                TokenTree::Ident(ident) => {
                    let (segments, behind) = leading_path(ident, after);
                    self.record_token_path(&segments, behind.first(), ident.span().start().line);
                    rest = behind;
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn record_token_path(&mut self, segments: &[String], next: Option<&TokenTree>, line: usize) {
        match next {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                for first in first_of_each(group.stream()) {
                    self.record(&[segments, &[first]].concat(), line);
                }
            }
            _ => self.record_unless_root(segments, line),
        }
    }

    /// Inside macros a lone `self` or `crate` is a value or a visibility.
    fn record_unless_root(&mut self, segments: &[String], line: usize) {
        if segments.len() > 1 {
            self.record(segments, line);
        }
    }

    /// Attributes may hold paths as strings: `#[tls_codec(with = "crate::codec::list")]`.
    fn record_string(&mut self, literal: &str, line: usize) {
        let inner = literal.trim_matches('"');
        if let Ok(path) = syn::parse_str::<Path>(inner) {
            self.record_unless_root(&segments_of(&path), line);
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !only_in_tests(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.record_use(&item.tree, Vec::new(), item.use_token.span.start().line);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if item.ident == "self" {
            self.named.push(Named { module: None, line: item.ident.span().start().line });
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments = segments_of(path);
        let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
        if path.leading_colon.is_none() {
            self.record_unless_root(&segments, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.record_tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.record_tokens(list.tokens.clone()),
            Meta::NameValue(pair) if !pair.path.is_ident("doc") => {
                if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value {
                    self.record_string(&text.value(), text.span().start().line);
                }
            }
            Meta::Path(_) | Meta::NameValue(_) => {}
        }
    }
}

/// The path from the crate root; `None` if the path does not start at `crate`, `super` or `self`.
fn resolve(segments: &[String], module: &[String]) -> Option<Vec<String>> {
    let (first, mut rest) = segments.split_first()?;
    let mut absolute = module.to_vec();
    match first.as_str() {
        "crate" => absolute.clear(),
        "self" => {}
        "super" => drop(absolute.pop()),
        _ => return None,
    }
    while let [next, after @ ..] = rest
        && next == "super"
    {
        absolute.pop();
        rest = after;
    }
    absolute.extend_from_slice(rest);
    Some(absolute)
}

fn segments_of(path: &Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// The path `first :: b :: c`, and the tokens after its last segment or trailing `::`.
fn leading_path<'t>(first: &Ident, after: &'t [TokenTree]) -> (Vec<String>, &'t [TokenTree]) {
    let mut segments = vec![first.to_string()];
    let mut rest = after;
    while let [TokenTree::Punct(one), TokenTree::Punct(two), behind @ ..] = rest
        && (one.as_char(), two.as_char()) == (':', ':')
    {
        rest = behind;
        let [TokenTree::Ident(next), after @ ..] = behind else { break };
        segments.push(next.to_string());
        rest = after;
    }
    (segments, rest)
}

/// The first identifier of each comma-separated part.
fn first_of_each(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    tokens
        .split(is_comma)
        .filter_map(|part| match part.first() {
            Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
            _ => None,
        })
        .collect()
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
