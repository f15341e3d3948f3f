package monitoring

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/table"
)

// ReadTable reads the rows of an MLTable.
func ReadTable(ctx context.Context, d *table.Definition, files []table.File) (*Table, error) {
	b := &builder{}
	if err := b.read(ctx, d, files); err != nil {
		return nil, err
	}
	return b.table(), nil
}

func (b *builder) read(ctx context.Context, d *table.Definition, files []table.File) error {
	for r, err := range d.Rows(ctx, files) {
		if err != nil {
			return err
		}
		for i, name := range r.Columns {
			if v, ok := valueOf(r.Cells[i]); ok {
				b.set(name, v)
			} else {
				b.leave(name)
			}
		}
		b.next()
	}
	return nil
}

// valueOf is cellOf but for truths that a file has as 0 and 1: elsewhere the same feature is a number.
func valueOf(c table.Cell) (cell, bool) {
	if _, truth := c.Value.(bool); truth {
		if text := c.Text(); text == "0" || text == "1" {
			return cell{kind: Long, number: float64(text[0] - '0')}, true
		}
	}
	return cellOf(c.Value)
}

// cellOf is a value of a row; ok is false of what has parts: it is no feature.
func cellOf(v any) (c cell, ok bool) {
	switch v := v.(type) {
	case nil:
		return cell{}, true
	case bool:
		return cell{kind: Boolean, text: strconv.FormatBool(v)}, true
	case int64:
		return cell{kind: Long, number: float64(v)}, true
	case float64:
		return cell{kind: Double, number: v}, true
	case table.Decimal:
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			f = math.NaN()
		}
		return cell{kind: Double, number: f}, true
	case time.Time:
		return cell{kind: Timestamp, text: v.UTC().Format(time.RFC3339Nano)}, true
	case string:
		return cell{kind: String, text: v}, true
	case []byte:
		return cell{kind: String, text: string(v)}, true
	case json.RawMessage:
		return cell{}, false
	}
	return cell{kind: String, text: table.Format(v)}, true
}
