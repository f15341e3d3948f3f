package wire

import "reflect"

// emptyText are the YAML names of the fields that a file gives as empty text, although leaving them out would say the same.
// As long as they are empty, they are sent and written as empty text, which is what the reference does.
type emptyText map[string]bool

// noteEmpty keeps which fields with the option empty a file wrote as "".
func (d *Decoding) noteEmpty(p *plan, n *Node, v reflect.Value) {
	if d.sp != YAML {
		return
	}
	var found emptyText
	for _, f := range p.fields {
		if !f.empty {
			continue
		}
		if at := n.Get(f.yaml); at == nil || at.Kind != String || at.Text != "" {
			continue
		}
		if found == nil {
			found = emptyText{}
		}
		found[f.yaml] = true
	}
	if found == nil {
		return
	}
	if k, ok := v.Addr().Interface().(Documented); ok {
		k.WireDocument().empty = &found
	}
}

// wroteEmpty tells whether a file wrote the field of v as "".
func wroteEmpty(f *field, v reflect.Value) bool {
	if !reflect.PointerTo(v.Type()).Implements(documentedType) {
		return false
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	doc := p.Interface().(Documented).WireDocument()
	return doc.empty != nil && (*doc.empty)[f.yaml]
}

// Emptied gives a document what another one noted of empty texts: for a definition that takes over the fields of another.
func (d *Document) Emptied(from *Document) { d.empty = from.empty }
