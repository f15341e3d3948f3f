// Package table reads tables as Azure Machine Learning's files MLTable describe
// them: delimited files, lines of JSON and Parquet, and the transformations of
// their rows. What it does not know it refuses by name.
//
// Where Microsoft's package mltable fills a table with nulls because a file does
// not say what was meant (a header that differs, a comparison of a number with
// text), it is an error here.
package table
