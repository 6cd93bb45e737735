// Package render turns values into text for people: tables and records, with every character escaped that a
// terminal might obey. Values with entries join through the Tabler interface, so that it knows neither maps nor
// how they are read.
package render
