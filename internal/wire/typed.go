package wire

import (
	"reflect"
)

// typedText is what a file wrote without quotes where a map holds text: the field's YAML name and the key, the text that
// the struct got, and the number or boolean that it was. As long as the text is the same, the value is sent as it was
// written, which is what the reference does.
type typedText map[string]map[string]typedScalar

type typedScalar struct {
	text  string
	value any
}

// noteTyped keeps what the fields with the option typed were in a file.
func (d *Decoding) noteTyped(p *plan, n *Node, v reflect.Value) {
	k, ok := v.Addr().Interface().(Documented)
	if !ok || d.sp != YAML {
		return
	}
	found := typedText{}
	for _, f := range p.fields {
		if !f.typed {
			continue
		}
		fv, ok := fieldByIndex(v, f.index)
		if !ok || fv.Kind() != reflect.Map {
			continue
		}
		m := n.Get(f.yaml)
		if m == nil || m.Kind != Mapping {
			continue
		}
		for _, e := range m.Entries {
			switch e.Value.Kind {
			case Bool, Int, Float, Time:
			default:
				continue
			}
			was := e.Value.Value
			if t, ok := was.(Timestamp); ok {
				was = t.JSON()
			}
			text := fv.MapIndex(reflect.ValueOf(e.Key).Convert(fv.Type().Key()))
			if text.IsValid() && text.Kind() == reflect.Pointer {
				text = text.Elem()
			}
			if !text.IsValid() || text.Kind() != reflect.String {
				continue
			}
			if found[f.yaml] == nil {
				found[f.yaml] = map[string]typedScalar{}
			}
			found[f.yaml][e.Key] = typedScalar{text.String(), was}
		}
	}
	if len(found) > 0 {
		k.WireDocument().typed = &found
	}
}

// retype gives back to an encoded map the values that its texts were written as.
func retype(f *field, v reflect.Value, out any) any {
	m, ok := out.(map[string]any)
	if !f.typed || !ok {
		return out
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	k, ok := p.Interface().(Documented)
	if !ok || k.WireDocument().typed == nil {
		return out
	}
	AsWritten(k.WireDocument(), f.yaml, m)
	return out
}

// AsWritten gives back to a map of texts the numbers and booleans that a file had for a field with the option typed. It is for
// tables that send a field at a second place.
func AsWritten(doc *Document, field string, m map[string]any) {
	if doc.typed == nil {
		return
	}
	for key, was := range (*doc.typed)[field] {
		if s, ok := m[key].(string); ok && s == was.text {
			m[key] = was.value
		}
	}
}
