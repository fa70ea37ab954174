//! What the interface can be told to do.

/// Forwards or backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the next.
    Forward,
    /// To the one before.
    Back,
}

/// A movement within a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    /// One up.
    Up,
    /// One down.
    Down,
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first.
    First,
    /// To the last.
    Last,
}

impl Motion {
    /// Where it leads from `at` among `count` things, `page` of which are on the screen.
    #[must_use]
    pub(crate) fn apply(self, at: usize, count: usize, page: usize) -> usize {
        let page = page.saturating_sub(1).max(1);
        let to = match self {
            Motion::Up => at.saturating_sub(1),
            Motion::Down => at.saturating_add(1),
            Motion::PageUp => at.saturating_sub(page),
            Motion::PageDown => at.saturating_add(page),
            Motion::First => 0,
            Motion::Last => count,
            Motion::Left | Motion::Right => at,
        };
        to.min(count.saturating_sub(1))
    }

    /// Which of `count` rows is the first of a page of text, of which `page` rows are on the
    /// screen, when it was `top`. Page by page every row is seen once.
    #[must_use]
    pub(crate) fn turn(self, top: usize, count: usize, page: usize) -> usize {
        let page = page.max(1);
        let lowest = count.saturating_sub(page);
        let to = match self {
            Motion::Up => top.saturating_sub(1),
            Motion::Down => top.saturating_add(1).min(lowest.max(top)),
            Motion::PageUp => top.saturating_sub(page),
            Motion::PageDown if top.saturating_add(page) < count => top + page,
            Motion::PageDown | Motion::Left | Motion::Right => top,
            Motion::First => 0,
            Motion::Last => lowest,
        };
        to.min(count.saturating_sub(1))
    }
}

/// What happens to a node of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// Open it if closed, and the other way round.
    Toggle,
    /// Open it, or go to its first child.
    Open,
    /// Close it, or go to its parent.
    Close,
}

/// A change of the text being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edit {
    /// A character at the cursor.
    Insert(char),
    /// Delete the character before the cursor.
    Backspace,
    /// Delete the one after it.
    Delete,
    /// Delete the word before it.
    Word,
    /// Delete all before it.
    Clear,
    /// Move to the left.
    Left,
    /// Move to the right.
    Right,
    /// Move to the beginning.
    Home,
    /// Move to the end.
    End,
}

/// What happens to an entry of a facet list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FacetChange {
    /// Off if on, and the other way round.
    Toggle,
    /// On, and all others of its list off.
    Only,
    /// All of its list on.
    All,
}

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Leave the program.
    Quit,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Show the help.
    Help,
    /// Show warnings and notices.
    Notices,
    /// Show the facet lists.
    Facets,
    /// Close what lies on top; with nothing there, stop seeking.
    Close,
    /// Go to another pane.
    Focus(Way),
    /// One pane alone, or all.
    Zoom,
    /// Move within the pane.
    Move(Motion),
    /// Open or close a node of the tree.
    Fold(Fold),
    /// Type a filter.
    Filter,
    /// Begin a filter from the selected field.
    FilterBySelected,
    /// No filter, and all facets on.
    ShowAll,
    /// Type what to search for.
    Search,
    /// Search on.
    SearchAgain(Way),
    /// Go to an error.
    SeekError(Way),
    /// Go to a message with warnings.
    SeekMalformed(Way),
    /// Go to the request.
    GoRequest,
    /// Go to the end of the answer.
    GoAnswer,
    /// Go back to before the last jump.
    GoBack,
    /// Fold copies of multicasts, or show each.
    FoldCopies,
    /// Show the sockets.
    Sockets,
    /// Begin a recording, or end it.
    Record,
    /// Type the name of a file to save the list in.
    Save,
    /// Another way of writing times.
    NextTime,
    /// Numbers instead of names.
    Numbers,
    /// Change the text being typed.
    Edit(Edit),
    /// Take the next or previous completion.
    Complete(Way),
    /// Apply what was typed.
    Accept,
    /// Change a facet.
    Facet(FacetChange),
    /// A click of the left button, at this column and row.
    Click(u16, u16),
    /// The wheel, at this column and row.
    Wheel(u16, u16, Way),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
}

/// What only the outside can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// End the program.
    Quit,
    /// Stop the process until it is continued.
    Suspend,
    /// Clear the terminal before the next drawing.
    Redraw,
    /// Begin to record what comes, or stop it.
    Record,
    /// Find a name that no file has, to be proposed ([`App::type_file`](super::App)).
    Name,
    /// Save the messages in the list in this file.
    Save(String),
}
