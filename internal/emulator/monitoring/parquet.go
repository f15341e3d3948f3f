package monitoring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// field is a column of a Parquet file: how its values are read. Nil of columns that are lists or have parts, which monitors skip.
type field struct {
	name string
	read func(v parquet.Value) cell
}

func (b *builder) parquet(ctx context.Context, f *File) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	p, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	fields, err := fieldsOf(p)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if f != nil {
			b.column(f.name)
		}
	}
	for _, g := range p.RowGroups() {
		if err := b.group(ctx, g, fields); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) group(ctx context.Context, g parquet.RowGroup, fields []*field) (err error) {
	rows := g.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	some := make([]parquet.Row, 256)
	for {
		n, err := rows.ReadRows(some)
		for _, r := range some[:n] {
			for _, v := range r {
				if f := fields[v.Column()]; f != nil && !v.IsNull() {
					b.set(f.name, f.read(v))
				}
			}
			b.next()
			if err := b.checked(ctx); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fieldsOf are the fields by the number of their leaf.
func fieldsOf(p *parquet.File) ([]*field, error) {
	var out []*field
	for _, path := range p.Schema().Columns() {
		leaf, ok := p.Schema().Lookup(path...)
		if !ok {
			return nil, fmt.Errorf("the column %s is not in the schema", strings.Join(path, "."))
		}
		var f *field
		if len(path) == 1 && !leaf.Node.Repeated() {
			read, err := reader(leaf.Node.Type())
			if err != nil {
				return nil, fmt.Errorf("the column %s: %w", path[0], err)
			}
			f = &field{path[0], read}
		}
		out = append(out, f)
	}
	return out, nil
}

func reader(t parquet.Type) (func(v parquet.Value) cell, error) {
	long := func(n int64) cell { return cell{kind: Long, number: float64(n)} }
	moment := func(t time.Time) cell { return cell{kind: Timestamp, text: t.UTC().Format(time.RFC3339Nano)} }
	if l := t.LogicalType(); l != nil {
		switch l := l.Value.(type) {
		case *format.DateType:
			return func(v parquet.Value) cell {
				return cell{kind: Timestamp, text: time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly)}
			}, nil
		case *format.TimestampType:
			unit := l.Unit.Value.Duration()
			per := int64(time.Second / unit)
			return func(v parquet.Value) cell {
				n := v.Int64()
				return moment(time.Unix(n/per, n%per*int64(unit)))
			}, nil
		case *format.DecimalType:
			return decimal(t.Kind(), int(l.Scale))
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(v parquet.Value) cell { return cell{kind: Boolean, text: fmt.Sprint(v.Boolean())} }, nil
	case parquet.Int32:
		return func(v parquet.Value) cell { return long(int64(v.Int32())) }, nil
	case parquet.Int64:
		return func(v parquet.Value) cell { return long(v.Int64()) }, nil
	case parquet.Int96: // the old way to write moments: nanoseconds of a Julian day
		return func(v parquet.Value) cell {
			i := v.Int96()
			return moment(time.Unix((int64(i[2])-2440588)*86400, int64(uint64(i[1])<<32|uint64(i[0]))))
		}, nil
	case parquet.Float:
		return func(v parquet.Value) cell { return cell{kind: Double, number: float64(v.Float())} }, nil
	case parquet.Double:
		return func(v parquet.Value) cell { return cell{kind: Double, number: v.Double()} }, nil
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return func(v parquet.Value) cell { return cell{kind: String, text: string(v.ByteArray())} }, nil
	}
	return nil, fmt.Errorf("values of type %s are not known", t)
}

func decimal(k parquet.Kind, scale int) (func(v parquet.Value) cell, error) {
	by := math.Pow10(scale)
	number := func(n float64) cell { return cell{kind: Double, number: n / by} }
	switch k {
	case parquet.Int32:
		return func(v parquet.Value) cell { return number(float64(v.Int32())) }, nil
	case parquet.Int64:
		return func(v parquet.Value) cell { return number(float64(v.Int64())) }, nil
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return func(v parquet.Value) cell {
			b := v.ByteArray()
			n := new(big.Int).SetBytes(b)
			if len(b) > 0 && b[0]&0x80 != 0 { // two's complement
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
			}
			f, _ := new(big.Float).SetInt(n).Float64() // as near as a number of 64 bits is
			return number(f)
		}, nil
	}
	return nil, fmt.Errorf("decimals are not kept as %s", k)
}
