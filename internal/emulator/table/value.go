package table

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Kind is what a value is.
type Kind string

// The kinds of values: nil, bool, int64, float64, time.Time, string, Decimal,
// []byte, and json.RawMessage for what has parts.
const (
	Null    Kind = "null"
	Bool    Kind = "bool"
	Int     Kind = "int"
	Float   Kind = "float"
	Time    Kind = "datetime"
	Text    Kind = "string"
	Number  Kind = "decimal"
	Binary  Kind = "binary"
	Complex Kind = "json"
)

// Decimal is a number with as many digits as its text has.
type Decimal string

// KindOf is the kind of a value.
func KindOf(v any) Kind {
	switch v.(type) {
	case nil:
		return Null
	case bool:
		return Bool
	case int64:
		return Int
	case float64:
		return Float
	case time.Time:
		return Time
	case string:
		return Text
	case Decimal:
		return Number
	case []byte:
		return Binary
	}
	return Complex
}

// Both is the kind of a column that has values of two kinds.
func Both(a, b Kind) Kind {
	switch {
	case a == b || b == Null || b == "":
		return a
	case a == Null || a == "":
		return b
	case a == Int && b == Float || a == Float && b == Int:
		return Float
	}
	return Complex
}

// Cell is one value of a row.
type Cell struct {
	Value any
	raw   string // how the file had it
	from  source
}

// source is what a cell's raw text is of.
type source byte

const (
	made source = iota // no raw text
	fromText
	fromJSON
)

// Text is the value as its file had it, else as mltable turns values to text.
func (c Cell) Text() string {
	if c.from == fromText {
		return c.raw
	}
	return Format(c.Value)
}

// Format is a value as text: "" for null, True and False, times as RFC 3339.
func Format(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return formatFloat(v)
	case time.Time:
		layout := "2006-01-02T15:04:05-07:00"
		switch ns := v.Nanosecond(); {
		case ns == 0:
		case ns%1e6 == 0:
			layout = "2006-01-02T15:04:05.000-07:00"
		case ns%1e3 == 0:
			layout = "2006-01-02T15:04:05.000000-07:00"
		default:
			layout = "2006-01-02T15:04:05.000000000-07:00"
		}
		return v.Format(layout)
	case string:
		return v
	case Decimal:
		return string(v)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(v)
}

func formatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// AppendJSON appends a value as Python's json reads it: NaN and Infinity are
// written as such.
func AppendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case float64:
		switch {
		case math.IsNaN(v):
			return append(b, "NaN"...), nil
		case math.IsInf(v, 1):
			return append(b, "Infinity"...), nil
		case math.IsInf(v, -1):
			return append(b, "-Infinity"...), nil
		}
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return append(b, s...), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case time.Time:
		return append(b, v.UTC().Format(`"2006-01-02T15:04:05.999999999"`)...), nil
	}
	more, err := json.Marshal(v)
	return append(b, more...), err
}

// Row is one row of a table. Rows of one file mostly share their Columns, which
// must not be changed.
type Row struct {
	Columns []string
	Cells   []Cell
	File    int   // index of its file
	Bytes   int64 // what it took in its file, about
}

// Cell is the value of a column.
func (r *Row) Cell(column string) (Cell, bool) {
	for i, k := range r.Columns {
		if k == column {
			return r.Cells[i], true
		}
	}
	return Cell{}, false
}
