//! Every filter that README.md shows is one.

use nlscope_dissector::filter::Filter;
use nlscope_dissector::schema::Schema;

#[test]
fn every_filter_of_the_readme_is_right() {
    let readme = include_str!("../../README.md");
    let filters: Vec<_> = readme
        .lines()
        .skip_while(|line| *line != "```filter")
        .skip(1)
        .take_while(|line| *line != "```")
        .collect();
    assert!(filters.len() >= 10, "{filters:?}");
    let schema = Schema::builtin();
    for filter in filters {
        if let Err(error) = Filter::parse(filter, &schema) {
            panic!("{filter}: {error:?}");
        }
    }
}
