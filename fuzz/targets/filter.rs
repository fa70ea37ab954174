//! Text to a filter, or to a mistake with its place; and completing it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nlscope_dissector::filter::{Filter, complete};
use nlscope_dissector::schema::Schema;

static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::builtin);

fuzz_target!(|text: &str| {
    if let Err(error) = Filter::parse(text, &SCHEMA) {
        assert!(!error.message.contains('\n'), "{error:?}");
        assert!(text.get(error.span.clone()).is_some(), "{error:?}");
    }
    // Completing looks through the whole schema, so not at every place.
    let middle = text.floor_char_boundary(text.len() / 2);
    for cursor in [middle, text.len()] {
        let (range, completions) = complete(text, cursor, &SCHEMA);
        assert!(text.get(range.clone()).is_some(), "{range:?}");
        assert!(range.start <= cursor && cursor <= range.end, "{range:?}");
        for completion in completions {
            assert!(!completion.text.is_empty());
        }
    }
});
