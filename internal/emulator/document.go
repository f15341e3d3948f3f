package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// document is a resource as JSON says it.
type document map[string]any

// read decodes a stored document.
func read(d *store.Document) (document, error) {
	v, err := decode(d.Body)
	if err != nil {
		return nil, fmt.Errorf("the document of %s cannot be read: %w", d.ID, err)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the document of %s is no object", d.ID)
	}
	return m, nil
}

// props are the properties; an empty object is made when there are none.
func (d document) props() map[string]any {
	m, ok := d["properties"].(map[string]any)
	if !ok {
		m = map[string]any{}
		d["properties"] = m
	}
	return m
}

// at finds a value by its path, nil when it is not there.
func (d document) at(path ...string) any {
	var v any = map[string]any(d)
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

// text is a string by its path, "" for none.
func (d document) text(path ...string) string {
	s, _ := d.at(path...).(string)
	return s
}

// object is an object by its path, nil for none.
func (d document) object(path ...string) map[string]any {
	m, _ := d.at(path...).(map[string]any)
	return m
}

func (d document) flag(path ...string) bool {
	b, _ := d.at(path...).(bool)
	return b
}

// into decodes a part of the document into a struct of the caller's, which names what it acts on.
func (d document) into(p any) error {
	b, err := encode(d)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, p); err != nil {
		return arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%s'.", err)
	}
	return nil
}

// clone copies to every depth.
func (d document) clone() document { return copyOf(map[string]any(d)).(map[string]any) }

func copyOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := maps.Clone(v)
		for k, x := range m {
			m[k] = copyOf(x)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, x := range v {
			l[i] = copyOf(x)
		}
		return l
	}
	return v
}

// merge lays a patch over a value as JSON merge patch does: null takes away.
func merge(into, patch map[string]any) {
	for k, v := range patch {
		p, ok := v.(map[string]any)
		old, was := into[k].(map[string]any)
		switch {
		case v == nil:
			delete(into, k)
		case ok && was:
			merge(old, p)
		case ok:
			fresh := map[string]any{}
			merge(fresh, p)
			into[k] = fresh
		default:
			into[k] = v
		}
	}
}

// only keeps the named fields of an envelope; the caller may not set others.
func (d document) only(fields ...string) {
	keep := map[string]bool{}
	for _, f := range fields {
		keep[f] = true
	}
	maps.DeleteFunc(d, func(k string, _ any) bool { return !keep[k] })
}

const stamp = "2006-01-02T15:04:05.0000000Z"

func timestamp(t time.Time) string { return t.UTC().Format(stamp) }

// signed writes who made and changed a document. old is nil when it is new.
func (d document) signed(old document, now time.Time) {
	sys := map[string]any{"createdAt": timestamp(now), "createdBy": callerName, "createdByType": "User"}
	if was := old.object("systemData"); was != nil {
		sys["createdAt"], sys["createdBy"], sys["createdByType"] = was["createdAt"], was["createdBy"], was["createdByType"]
	}
	sys["lastModifiedAt"], sys["lastModifiedBy"], sys["lastModifiedByType"] = timestamp(now), callerName, "User"
	d["systemData"] = sys
}

// callerName is who documents say they are made by.
const callerName = "local"

// named sets what ids say.
func (d document) named(id arm.ID) {
	d["id"], d["name"], d["type"] = id.String(), id.Name(), id.Type()
}

func (d document) stored(id arm.ID) (*store.Document, error) {
	b, err := encode(d)
	if err != nil {
		return nil, err
	}
	return &store.Document{ID: id.String(), Type: id.Type(), Parent: id.Parent().String(), Body: b}, nil
}

// missing refuses a document that lacks one of the fields, named by their paths in dots.
func (d document) missing(fields ...string) error {
	var all []*arm.Error
	for _, f := range fields {
		switch v := d.at(strings.Split(f, ".")...).(type) {
		case nil:
			all = append(all, arm.Invalid(f, "The field %s is required.", f))
		case string:
			if v == "" {
				all = append(all, arm.Invalid(f, "The field %s must not be empty.", f))
			}
		}
	}
	if len(all) < 2 {
		if len(all) == 1 {
			return all[0]
		}
		return nil
	}
	e := arm.Invalid(all[0].Target, "%d required fields are missing; the first is %s.", len(all), all[0].Target)
	e.Details = all
	return e
}

// oneOf refuses a discriminator or enum that is not known, and gives it in its own spelling.
func (d document) oneOf(field string, known ...string) (string, error) {
	path := strings.Split(field, ".")
	s := d.text(path...)
	for _, k := range known {
		if strings.EqualFold(k, s) {
			return k, nil
		}
	}
	if s == "" {
		return "", arm.Invalid(field, "The field %s is required: one of %s.", field, strings.Join(known, ", "))
	}
	return "", arm.Invalid(field, "The value %q of %s is unknown: it must be one of %s.", s, field, strings.Join(known, ", "))
}
