package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// parquetField is one column of a Parquet file: its leaves, and how they make one value.
type parquetField struct {
	name   string
	leaves []parquetLeaf
	// list has one repeated leaf; below says that its parts have names.
	list, below bool
	optional    bool
}

type parquetLeaf struct {
	index   int
	path    []string // below the field
	most    int      // definition level of a value
	convert func(parquet.Value) any
}

// readParquet yields the rows of one file.
func readParquet(in *os.File, yield func(*Row) bool) (err error) {
	defer func() {
		if p := recover(); p != nil { // of the library, on files that it does not expect
			err = fmt.Errorf("the Parquet file cannot be read: %v", p)
		}
	}()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	f, err := parquet.OpenFile(in, st.Size(), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	fields, columns, err := parquetFields(f.Schema())
	if err != nil {
		return err
	}
	each := int64(0)
	if n := f.NumRows(); n > 0 {
		each = st.Size() / n
	}
	batch := make([]parquet.Row, 256)
	for _, g := range f.RowGroups() {
		rows := g.Rows()
		for {
			n, err := rows.ReadRows(batch)
			for _, values := range batch[:n] {
				r := &Row{Columns: columns, Cells: make([]Cell, len(fields)), Bytes: each}
				byColumn := make([][]parquet.Value, len(f.Schema().Columns()))
				values.Range(func(i int, of []parquet.Value) bool {
					byColumn[i] = of
					return true
				})
				for i := range fields {
					r.Cells[i].Value = fields[i].value(byColumn)
				}
				if !yield(r) {
					return rows.Close()
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return errors.Join(err, rows.Close())
			}
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	return nil
}

func parquetFields(s *parquet.Schema) ([]parquetField, []string, error) {
	var fields []parquetField
	var columns []string
	at := map[string]int{}
	for _, f := range s.Fields() {
		at[f.Name()] = len(fields)
		fields = append(fields, parquetField{name: f.Name(), optional: f.Optional()})
		columns = append(columns, f.Name())
	}
	for _, path := range s.Columns() {
		leaf, ok := s.Lookup(path...)
		if !ok {
			return nil, nil, fmt.Errorf("the column %s is not in the schema", strings.Join(path, "."))
		}
		f := &fields[at[path[0]]]
		f.leaves = append(f.leaves, parquetLeaf{index: leaf.ColumnIndex, path: path[1:], most: leaf.MaxDefinitionLevel, convert: converter(leaf.Node)})
		f.below = len(path) > 1
		if leaf.MaxRepetitionLevel > 0 {
			f.list = true
			if leaf.MaxRepetitionLevel > 1 || len(f.leaves) > 1 || len(path) > 3 {
				return nil, nil, fmt.Errorf("the column %q: the local workspace reads lists of plain values, not what nests deeper", path[0])
			}
		} else if f.list {
			return nil, nil, fmt.Errorf("the column %q: the local workspace reads lists of plain values, not what nests deeper", path[0])
		}
	}
	return fields, columns, nil
}

// value makes the field's value of its leaves'.
func (f *parquetField) value(of [][]parquet.Value) any {
	switch {
	case f.list:
		leaf := f.leaves[0]
		least := 0 // definition level of an empty list
		if f.optional {
			least = 1
		}
		out := []any{}
		for _, v := range of[leaf.index] {
			switch d := v.DefinitionLevel(); {
			case d < least:
				return nil
			case d > least:
				out = append(out, plain(leaf.one(v)))
			}
		}
		return encoded(out)
	case f.below:
		out, null := map[string]any{}, f.optional
		for _, leaf := range f.leaves {
			v := of[leaf.index][0]
			null = null && v.DefinitionLevel() == 0
			in := out
			for _, k := range leaf.path[:len(leaf.path)-1] {
				next, ok := in[k].(map[string]any)
				if !ok {
					next = map[string]any{}
					in[k] = next
				}
				in = next
			}
			in[leaf.path[len(leaf.path)-1]] = plain(leaf.one(v))
		}
		if null {
			return nil
		}
		return encoded(out)
	}
	return f.leaves[0].one(of[f.leaves[0].index][0])
}

func (l *parquetLeaf) one(v parquet.Value) any {
	if v.IsNull() {
		return nil
	}
	return l.convert(v)
}

// plain is a value as it stands in JSON.
func plain(v any) any {
	switch x := v.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
	case Decimal:
		return json.Number(x)
	case time.Time, []byte:
		return Format(v)
	}
	return v
}

func encoded(v any) any {
	b, err := json.Marshal(v)
	if err != nil { // of plain values only: none
		return fmt.Sprint(v)
	}
	return json.RawMessage(b)
}

// converter makes values of the types of leaves.
func converter(n parquet.Node) func(parquet.Value) any {
	t := n.Type()
	var logical any
	if l := t.LogicalType(); l != nil {
		logical = l.Value
	}
	converted := deprecated.ConvertedType(-1)
	if c := t.ConvertedType(); c != nil {
		converted = *c
	}
	switch l := logical.(type) {
	case *format.TimestampType:
		unit := l.Unit.Value.Duration()
		return func(v parquet.Value) any { return since(v.Int64(), unit) }
	case *format.DateType:
		return func(v parquet.Value) any { return time.Unix(int64(v.Int32())*86400, 0).UTC() }
	case *format.DecimalType:
		return func(v parquet.Value) any { return decimal(v, int(l.Scale)) }
	case *format.IntType:
		if !l.IsSigned {
			return unsigned
		}
	}
	switch converted {
	case deprecated.TimestampMillis:
		return func(v parquet.Value) any { return since(v.Int64(), time.Millisecond) }
	case deprecated.TimestampMicros:
		return func(v parquet.Value) any { return since(v.Int64(), time.Microsecond) }
	case deprecated.Date:
		return func(v parquet.Value) any { return time.Unix(int64(v.Int32())*86400, 0).UTC() }
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return unsigned
	}
	text := false
	switch logical.(type) {
	case *format.StringType, *format.EnumType, *format.JsonType:
		text = true
	}
	text = text || converted == deprecated.UTF8 || converted == deprecated.Enum || converted == deprecated.Json
	return func(v parquet.Value) any {
		switch v.Kind() {
		case parquet.Boolean:
			return v.Boolean()
		case parquet.Int32:
			return int64(v.Int32())
		case parquet.Int64:
			return v.Int64()
		case parquet.Int96: // nanoseconds of the day, and the Julian day
			i := v.Int96()
			return time.Unix((int64(i[2])-2440588)*86400, int64(uint64(i[1])<<32|uint64(i[0]))).UTC()
		case parquet.Float:
			return float64(v.Float())
		case parquet.Double:
			return v.Double()
		}
		b := v.ByteArray()
		if text && utf8.Valid(b) {
			return string(b)
		}
		return append([]byte(nil), b...)
	}
}

func since(n int64, unit time.Duration) time.Time {
	per := int64(time.Second / unit)
	s, rest := n/per, n%per
	return time.Unix(s, rest*int64(unit)).UTC()
}

func unsigned(v parquet.Value) any {
	n := v.Uint64()
	if v.Kind() == parquet.Int32 {
		n = uint64(v.Uint32())
	}
	if n > math.MaxInt64 {
		return json.RawMessage(fmt.Sprint(n))
	}
	return int64(n)
}

func decimal(v parquet.Value, scale int) any {
	n := new(big.Int)
	switch v.Kind() {
	case parquet.Int32:
		n.SetInt64(int64(v.Int32()))
	case parquet.Int64:
		n.SetInt64(v.Int64())
	default: // two's complement, the first byte the greatest
		b := v.ByteArray()
		n.SetBytes(b)
		if len(b) > 0 && b[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
	}
	s, sign := n.String(), ""
	if strings.HasPrefix(s, "-") {
		s, sign = s[1:], "-"
	}
	if scale <= 0 {
		return Decimal(sign + s + strings.Repeat("0", -scale))
	}
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	return Decimal(sign + s[:len(s)-scale] + "." + s[len(s)-scale:])
}
