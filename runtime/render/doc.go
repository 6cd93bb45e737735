// Package render turns values into text.
//
// Two kinds of format ask for two kinds of text. Tables and Markdown are for people: values stand there as they are
// Shown, what is long is cut with a footer that says so, and every character that a terminal might obey is escaped.
// JSON, JSON lines, CSV and TSV are for programs: values are exact and complete, and rows go out as they are read.
//
// Values with entries join through Tabler, which gives a table, and Rower, which gives rows one by one, so that the
// package knows neither maps nor how they are read.
package render
