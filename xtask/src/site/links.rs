//! Whether links lead somewhere. Hosts are not asked.

use std::path::Path;

use super::page::{Page, is_page};

/// A sentence for every link of these pages that names a file, or a heading of a page, that is not
/// there.
pub(super) fn broken(root: &Path, pages: &[Page]) -> Vec<String> {
    let mut faults = Vec::new();
    for page in pages {
        for link in &page.links {
            let Some((target, anchor)) = page.target(link) else { continue };
            let fault = match target {
                _ if link.to.starts_with('[') => "has a label that the page does not define".into(),
                None => "leads out of the repository".into(),
                Some(file) if root.join(&file).is_dir() => {
                    "names a folder, not a file in it".into()
                }
                Some(file) if !root.join(&file).is_file() => {
                    format!("names {}, which is not there", file.display())
                }
                Some(_) if anchor.is_empty() => continue,
                Some(file) => match pages.iter().find(|page| page.path == file) {
                    Some(page) if !page.anchors.contains(anchor) => {
                        format!("names a heading that {} does not have", file.display())
                    }
                    // What follows `#` in a file that is no page is the reader's program's affair.
                    _ => continue,
                },
            };
            faults.push(format!(
                "{}:{}: the link `{}` {fault}",
                page.path.display(),
                link.line,
                link.to
            ));
        }
    }
    faults
}

/// A sentence for every page that the book would leave out: those of its own folder, and those that
/// its pages link to.
pub(super) fn left_out(summary: &Page, pages: &[Page]) -> Vec<String> {
    let listed = summary.targets();
    let missing = |file: &Path| is_page(file) && !listed.iter().any(|l| l == file);
    let list = summary.path.display();
    let mut faults = Vec::new();
    for page in pages {
        let beside = page.path.parent() == summary.path.parent() && page.path != summary.path;
        if beside && missing(&page.path) {
            faults.push(format!("{}: {list} does not list this page", page.path.display()));
        }
        if !listed.contains(&page.path) {
            continue;
        }
        for link in &page.links {
            if let Some((Some(file), _)) = page.target(link)
                && missing(&file)
            {
                faults.push(format!(
                    "{}:{}: the link `{}` names a page that {list} does not list",
                    page.path.display(),
                    link.line,
                    link.to
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn page(path: &str, text: &str) -> Page {
        Page::parse(Path::new(path), text.into())
    }

    /// If this failed, a reader would find what the gate should have: a link that leads nowhere.
    #[test]
    fn a_broken_link_is_named_with_file_and_line() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        let pages = [
            page("README.md", "# Start\n\n[a](docs/method.md#the-way), [b](#start)\n"),
            page(
                "docs/method.md",
                "## The way\n\n![p](flow.png) [host](https://example.org/none)\n",
            ),
        ];
        for page in &pages {
            fs::write(root.path().join(&page.path), "").unwrap();
        }
        fs::write(root.path().join("docs/flow.png"), "").unwrap();
        assert_eq!(broken(root.path(), &pages), Vec::<String>::new());

        for (link, fault) in [
            ("[a](docs/methods.md)", "names docs/methods.md, which is not there"),
            ("![a](flow.png)", "names flow.png, which is not there"),
            ("[a](docs/method.md#way)", "names a heading that docs/method.md does not have"),
            ("[a](#stop)", "names a heading that README.md does not have"),
            ("[a](../method.md)", "leads out of the repository"),
            ("[a](/docs/method.md)", "leads out of the repository"),
            ("[a](docs)", "names a folder, not a file in it"),
        ] {
            let [_, method] = &pages;
            let readme = page("README.md", &format!("# Start\n\nSee {link}.\n"));
            let method = Page::parse(&method.path, "## The way\n".into());
            let (_, to) = link.trim_end_matches(')').split_once('(').unwrap();
            let expected = format!("README.md:3: the link `{to}` {fault}");
            assert_eq!(broken(root.path(), &[readme, method]), [expected]);
        }
        let label = [page("README.md", "[a][b]\n")];
        let expected = "README.md:1: the link `[b]` has a label that the page does not define";
        assert_eq!(broken(root.path(), &label), [expected]);
    }

    /// If this failed, pages would be missing from the book, or links in it would lead nowhere.
    #[test]
    fn a_page_that_the_book_leaves_out_is_named() {
        let summary = page("docs/SUMMARY.md", "[Start](../README.md)\n- [Method](method.md)\n");
        let pages = [
            page("README.md", "[method](docs/method.md)\n\n[scores](docs/scores.md)\n"),
            page("docs/method.md", "[all pages](SUMMARY.md)"),
            page("docs/scores.md", ""),
            page("tests/README.md", "[not in the book](more.md)"),
        ];
        let faults = left_out(&summary, &pages);
        assert_eq!(
            faults,
            [
                "README.md:3: the link `docs/scores.md` names a page that docs/SUMMARY.md does \
                 not list",
                "docs/method.md:1: the link `SUMMARY.md` names a page that docs/SUMMARY.md does \
                 not list",
                "docs/scores.md: docs/SUMMARY.md does not list this page",
            ]
        );
    }
}
