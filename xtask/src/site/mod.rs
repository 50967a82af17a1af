//! The documentation as a site: `docs/SUMMARY.md` lists its pages, mdBook makes them into HTML in
//! `target/site`.
//!
//! Pages link to each other, and to files beside them, as they lie in the repository, so that they
//! can be read there too. So the site keeps the repository's paths: the pages and the files that
//! they link to are laid out under the same names, and only the list of pages is rewritten. Before
//! that, [`links`] looks at every page of the repository. No host is asked.

mod links;
mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::setup::{self, Missing};
use crate::stages::{Skipping, Stages};
use crate::{command, paths};
use page::Page;

/// The list of pages, as mdBook reads it.
const SUMMARY: &str = "docs/SUMMARY.md";
const SETTINGS: &str = "docs/book.toml";

/// Checks the links and builds the site.
pub(crate) fn run() -> Result<bool> {
    let mut stages = Stages::new(Skipping::Refused);
    check_and_build(&mut stages);
    Ok(stages.close())
}

/// The same as stages of another command.
pub(crate) fn check_and_build(stages: &mut Stages) {
    stages.run("links", || check(&paths::root(), &files(&paths::root())?));
    stages.run("site", || build(&paths::root()));
}

/// Checks every link between pages, and from them to files.
///
/// # Errors
/// Names every link that leads nowhere, one a line.
fn check(root: &Path, files: &[PathBuf]) -> Result<()> {
    let pages = files.iter().map(|file| Page::read(root, file)).collect::<Result<Vec<_>>>()?;
    let mut faults = links::broken(root, &pages);
    if let Some(summary) = pages.iter().find(|page| page.path == Path::new(SUMMARY)) {
        faults.extend(links::left_out(summary, &pages));
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{} pages, {} links", pages.len(), pages.iter().map(|p| p.links.len()).sum::<usize>());
    Ok(())
}

/// The repository's Markdown files, relative to its root.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let (listed, text) = command::capture(git.arg("*.md")).context("git lists the pages")?;
    ensure!(listed, "git cannot list the pages: {text}");
    let names = text.split('\0').filter(|name| !name.is_empty());
    // Git also lists what was deleted and not yet committed.
    Ok(names.map(PathBuf::from).filter(|name| root.join(name).is_file()).collect())
}

/// Lays the pages out and calls mdBook.
fn build(root: &Path) -> Result<()> {
    let mdbook = setup::MDBOOK.find().ok_or_else(|| Missing::until_setup(setup::MDBOOK))?;
    let (laid, site) = (paths::target().join("site-source"), paths::target().join("site"));
    for folder in [&laid, &site] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
    }
    lay_out(root, &laid.join("pages"))?;
    copy(&root.join(SETTINGS), &laid.join("book.toml"))?;
    let mut mdbook = Command::new(mdbook);
    mdbook.env("MDBOOK_BOOK__SRC", "pages").arg("build").arg(&laid).arg("--dest-dir").arg(&site);
    command::run(&mut mdbook)?;
    for chapter in Page::read(root, Path::new(SUMMARY))?.targets() {
        // Links between pages become links to these names.
        let made = site.join(chapter.with_extension("html"));
        ensure!(made.is_file(), "mdBook has not made {}", made.display());
    }
    println!("the site: {}", site.join("index.html").display());
    Ok(())
}

/// Puts the list of pages, the pages and the files that they link to into a folder, under the
/// repository's paths.
fn lay_out(root: &Path, to: &Path) -> Result<()> {
    let summary = Page::read(root, Path::new(SUMMARY))?;
    for chapter in summary.targets() {
        copy(&root.join(&chapter), &to.join(&chapter))?;
        for target in Page::read(root, &chapter)?.targets() {
            // mdBook makes pages of the list into HTML, and leaves out others, which `links`
            // refuses.
            if !page::is_page(&target) && root.join(&target).is_file() {
                copy(&root.join(&target), &to.join(&target))?;
            }
        }
    }
    fs::write(to.join("SUMMARY.md"), summary.seen_from_the_root())?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this failed, pages that link out of `docs` would lose what they link to in the book.
    #[test]
    fn the_site_has_the_paths_of_the_repository() {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in [
            (SUMMARY, "# Pages\n\n[Start](../README.md)\n\n- [Method](method.md)\n"),
            ("README.md", "[The method](docs/method.md), [settings](models/cards.sh#L3)\n"),
            ("docs/method.md", "![A picture](images/flow.png) and a [page](https://example.org)\n"),
            ("docs/images/flow.png", "png"),
            ("models/cards.sh", "#!/bin/sh\n"),
            ("models/other.sh", "#!/bin/sh\n"),
        ] {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let laid = root.path().join("laid");
        lay_out(root.path(), &laid).unwrap();
        let list = fs::read_to_string(laid.join("SUMMARY.md")).unwrap();
        assert_eq!(list, "# Pages\n\n[Start](README.md)\n\n- [Method](docs/method.md)\n");
        for there in ["README.md", "docs/method.md", "docs/images/flow.png", "models/cards.sh"] {
            assert!(laid.join(there).is_file(), "{there}");
        }
        assert!(!laid.join("models/other.sh").exists());
    }
}
