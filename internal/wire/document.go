package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// A Document is what an entity keeps of the answer that it was read from, so that an update loses nothing the struct
// cannot say. A kind has one as an unexported field and hands out its address:
//
//	doc wire.Document
//	func (j *CommandJob) WireDocument() *wire.Document { return &j.doc }
//
// Copies of the entity share it, and it is never changed: reflect.DeepEqual and copies by value work. The zero value is
// no document.
type Document struct {
	d     *document
	typed *typedText
	empty *emptyText
}

type document struct {
	id  string
	raw map[string]any
}

// Documented is implemented (pointer receiver) by kinds that keep their document.
type Documented interface{ WireDocument() *Document }

// ID is the resource id that the document was read from, "" without a document.
func (d *Document) ID() string {
	if d.d == nil {
		return ""
	}
	return d.d.id
}

// Raw is a copy of the whole document, nil without one.
func (d *Document) Raw() Raw {
	if d.d == nil {
		return nil
	}
	return cloneTree(d.d.raw).(map[string]any)
}

// ParseJSON reads JSON as plain Go with numbers kept exactly, as json.Number.
func ParseJSON(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	if dec.More() {
		return nil, fmt.Errorf("wire: more than one JSON value")
	}
	return v, nil
}

// FromREST reads a resource as the service answers it: into points to a kind, or to a sealed interface of kinds. What the
// struct does not know, or what has another type there, is no error; it stays in the document that the entity keeps.
func FromREST(raw []byte, into any) error {
	v, err := ParseJSON(raw)
	if err != nil {
		return err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("wire: the answer is no JSON object")
	}
	return FromRESTMap(m, into)
}

// FromRESTMap is FromREST for an object that was decoded already, with json.Number for numbers. The entity keeps m.
func FromRESTMap(m map[string]any, into any) error {
	return fromObject(REST, m, into, true)
}

// FromNode reads a pipeline's node.
func FromNode(m map[string]any, into any) error { return fromObject(NodeJSON, m, into, false) }

// FromSpec reads a component's specification.
func FromSpec(m map[string]any, into any) error { return fromObject(Spec, m, into, false) }

func fromObject(sp Spelling, m map[string]any, into any, keep bool) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("wire: %T is no pointer", into)
	}
	d := &Decoding{sp: sp, load: &loader{}}
	d.value(TreeNode(m), v.Elem())
	if !keep {
		return nil
	}
	target := v
	for target.Kind() == reflect.Pointer || target.Kind() == reflect.Interface {
		if target.IsNil() {
			return nil
		}
		if target.Kind() == reflect.Pointer {
			if k, ok := target.Interface().(Documented); ok {
				id, _ := m["id"].(string)
				k.WireDocument().d = &document{id: id, raw: m}
				return nil
			}
		}
		target = target.Elem()
	}
	return nil
}

// Body is what a create or update of the resource with that id sends. When v was read from the same id, and nothing but
// its fields changed since, everything that the struct does not know is sent back as it was; otherwise it is ToREST.
func Body(v any, id string) (map[string]any, error) {
	k, ok := v.(Documented)
	if !ok || id == "" || k.WireDocument().d == nil || !strings.EqualFold(strings.Trim(k.WireDocument().ID(), "/"), strings.Trim(id, "/")) {
		return ToREST(v)
	}
	raw := k.WireDocument().d.raw
	fresh := reflect.New(reflect.TypeOf(v).Elem())
	(&Decoding{sp: REST, load: &loader{}}).value(TreeNode(raw), fresh.Elem())
	was, err := (&Encoding{sp: REST, tagged: true, ro: true}).object(fresh.Interface())
	if err != nil {
		return nil, err
	}
	now, err := (&Encoding{sp: REST, tagged: true}).object(v)
	if err != nil {
		return nil, err
	}
	out := mergeObject(raw, was, now)
	for _, k := range []string{"id", "name", "type", "systemData", "etag"} {
		delete(out, k)
	}
	return out, nil
}
