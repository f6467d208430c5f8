//! The paths that Rust code names; modules called `tests` are left out.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A path such as `crate::jwks::Snapshot`, and its line, counted from 1.
pub(super) type Named = (usize, Vec<String>);

/// Returns all paths in the code, in macros and attributes too; a name alone counts in a `use` only, and `await`.
pub(super) fn named(code: &str) -> syn::Result<Vec<Named>> {
    let mut reader = Reader::default();
    reader.visit_file(&syn::parse_file(code)?);
    Ok(reader.names)
}

#[derive(Default)]
struct Reader {
    names: Vec<Named>,
    /// The steps of a `use` before the tree that is being visited.
    prefix: Vec<String>,
}

impl Reader {
    fn add(&mut self, path: impl IntoIterator<Item = impl ToString>, at: Span) {
        let path = self.prefix.iter().cloned().chain(path.into_iter().map(|step| step.to_string())).collect();
        self.names.push((at.start().line, path));
    }

    /// Reads macros and attributes: names with `::` between them, and texts that begin with `crate::`.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut words, mut at) = (String::new(), Span::call_site());
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(text) if !text.to_string().starts_with("\"crate::") => words.push(' '),
                other => {
                    at = other.span();
                    words.extend([" ", other.to_string().trim_matches('"')]);
                }
            }
        }
        for path in words.replace(" : : ", "::").split(' ').filter(|word| word.contains("::")) {
            self.add(path.split("::"), at);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.ident != "tests" {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_use_tree(&mut self, tree: &'ast syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                self.prefix.push(path.ident.to_string());
                self.visit_use_tree(&path.tree);
                self.prefix.pop();
            }
            syn::UseTree::Name(syn::UseName { ident }) | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                self.add([ident], ident.span());
            }
            syn::UseTree::Glob(glob) => self.add(["*"], glob.star_token.span),
            syn::UseTree::Group(_) => visit::visit_use_tree(self, tree),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (Some(first), 2..) = (path.segments.first(), path.segments.len()) {
            self.add(path.segments.iter().map(|step| &step.ident), first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_await(&mut self, expression: &'ast syn::ExprAwait) {
        self.add(["await"], expression.await_token.span);
        visit::visit_expr_await(self, expression);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.tokens(tokens.clone());
    }
}
