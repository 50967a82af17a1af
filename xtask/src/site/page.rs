//! A page of Markdown: where it links to, and where others can link to in it.

use std::collections::HashSet;
use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};

/// A link as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Line of the page, from 1 on.
    pub(super) line: usize,
    /// What the link names; of a reference that nothing defines, its label in brackets.
    pub(super) to: String,
    /// Where the whole link stands in the text.
    place: Range<usize>,
}

/// A file of Markdown.
pub(super) struct Page {
    /// Relative to the repository's root.
    pub(super) path: PathBuf,
    /// In the order of the text, pictures among them.
    pub(super) links: Vec<Link>,
    /// What can follow `#` in a link to this page.
    pub(super) anchors: HashSet<String>,
    text: String,
}

impl Page {
    pub(super) fn read(root: &Path, path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(root.join(path)).with_context(|| path.display().to_string())?;
        Ok(Self::parse(path, text))
    }

    pub(super) fn parse(path: &Path, text: String) -> Self {
        let (mut links, mut undefined) = (Vec::new(), Vec::new());
        let (mut anchors, mut heading) = (HashSet::new(), None::<String>);
        let link = |to: String, place: Range<usize>| Link {
            line: text[..place.start].matches('\n').count() + 1,
            to,
            place,
        };
        let mut note = |broken: BrokenLink<'_>| {
            // `[text]` alone is text: only who writes `[text][label]` means a link.
            if matches!(broken.link_type, LinkType::Reference | LinkType::Collapsed) {
                undefined.push(link(format!("[{}]", broken.reference), broken.span));
            }
            None
        };
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS;
        let parser = Parser::new_with_broken_link_callback(&text, options, Some(&mut note));
        for (event, place) in parser.into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push(link(dest_url.into_string(), place));
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let title = heading.take().unwrap_or_default();
                    let new = numbered(&anchor(&title), &anchors);
                    anchors.insert(new);
                }
                Event::Text(part) | Event::Code(part) => {
                    if let Some(title) = &mut heading {
                        title.push_str(&part);
                    }
                }
                _ => {}
            }
        }
        links.extend(undefined);
        Self { path: path.to_owned(), links, anchors, text }
    }

    /// Files of the repository that the page links to.
    pub(super) fn targets(&self) -> Vec<PathBuf> {
        self.links.iter().filter_map(|link| self.target(link)?.0).collect()
    }

    /// The file and the anchor that a link of this page names: no file if it leaves the repository.
    /// Nothing for a link to a host.
    pub(super) fn target<'a>(&self, link: &'a Link) -> Option<(Option<PathBuf>, &'a str)> {
        if link.to.contains("://") || link.to.starts_with("mailto:") {
            return None;
        }
        let (file, anchor) = link.to.split_once('#').unwrap_or((&link.to, ""));
        if file.is_empty() {
            return Some((Some(self.path.clone()), anchor));
        }
        Some((beside(&self.path, file), anchor))
    }

    /// The text, with its links relative to the root and not to the page.
    pub(super) fn seen_from_the_root(&self) -> String {
        let mut text = self.text.clone();
        for link in self.links.iter().rev() {
            let Some((Some(target), _)) = self.target(link) else { continue };
            let there = text[link.place.clone()].replacen(
                &format!("]({})", link.to),
                &format!("]({})", target.display()),
                1,
            );
            text.replace_range(link.place.clone(), &there);
        }
        text
    }
}

pub(super) fn is_page(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "md")
}

/// The path, from the root, of what a page names `file`; nothing if that lies outside the
/// repository.
fn beside(page: &Path, file: &str) -> Option<PathBuf> {
    let mut path = page.parent()?.to_owned();
    for part in Path::new(file).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The anchor that GitHub and mdBook give a heading.
fn anchor(title: &str) -> String {
    let characters = title.trim().chars().flat_map(char::to_lowercase);
    characters
        .filter_map(|c| match c {
            c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
            c if c.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect()
}

/// The same with a number if a heading before has it.
fn numbered(anchor: &str, taken: &HashSet<String>) -> String {
    let others = (1..).map(|n| format!("{anchor}-{n}"));
    let mut names = std::iter::once(anchor.to_owned()).chain(others);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this failed, right links to headings would be refused, or wrong ones let through.
    #[test]
    fn anchors_are_those_of_github_and_mdbook() {
        let text = "# What was measured\n## `--score`: both *ways*\n### λ*\n## Twice\n## Twice\n\nUnder\n=====\n";
        let page = Page::parse(Path::new("a.md"), text.into());
        for name in ["what-was-measured", "--score-both-ways", "λ", "twice", "twice-1", "under"] {
            assert!(page.anchors.contains(name), "{name}: {:?}", page.anchors);
        }
        assert_eq!(page.anchors.len(), 6);
    }

    #[test]
    fn links_have_lines_and_code_has_none() {
        let text = "A [link](b.md)\n\n    [not one](c.md)\n\n`[nor](d.md)` ![but this](e.png)\n[f][g] and [h]\n";
        let page = Page::parse(Path::new("a.md"), text.into());
        let links: Vec<_> = page.links.iter().map(|link| (link.line, link.to.as_str())).collect();
        assert_eq!(links, [(1, "b.md"), (5, "e.png"), (6, "[g]")]);
    }
}
