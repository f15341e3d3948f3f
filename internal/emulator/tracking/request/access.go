package request

// Has reports whether a field was set.
func (m *Message) Has(name string) bool {
	_, ok := m.values[m.field(name).Name]
	return ok
}

// Given reports whether the request has a field, be it empty.
func (m *Message) Given(name string) bool {
	f := m.field(name)
	if m.source == nil {
		return false
	}
	_, a := m.source.Values[f.Name]
	_, b := m.source.Values[f.JSON]
	return a || b
}

func (m *Message) field(name string) *Field {
	f := m.Type.byName[name]
	if f == nil {
		panic("request: " + m.Type.Name + " has no field " + name)
	}
	return f
}

// Text is a string field; "" when it was not set.
func (m *Message) Text(name string) string {
	s, _ := m.values[m.field(name).Name].(string)
	return s
}

// TextPtr is a string field; nil when it was not set.
func (m *Message) TextPtr(name string) *string {
	if s, ok := m.values[m.field(name).Name].(string); ok {
		return &s
	}
	return nil
}

// Int is a field that is a number or an enum: its default when it was not set.
func (m *Message) Int(name string) int64 {
	f := m.field(name)
	if n, ok := m.values[name].(int64); ok {
		return n
	}
	n, _ := f.Default.(int64)
	return n
}

// IntPtr is Int, nil when the field was not set.
func (m *Message) IntPtr(name string) *int64 {
	if n, ok := m.values[m.field(name).Name].(int64); ok {
		return &n
	}
	return nil
}

// Float is a double field.
func (m *Message) Float(name string) float64 {
	d, _ := m.values[m.field(name).Name].(float64)
	return d
}

// Flag is a boolean field.
func (m *Message) Flag(name string) bool {
	f := m.field(name)
	if b, ok := m.values[name].(bool); ok {
		return b
	}
	b, _ := f.Default.(bool)
	return b
}

// Texts is a list of strings.
func (m *Message) Texts(name string) []string {
	l, _ := m.values[m.field(name).Name].([]string)
	return l
}

// List is a list of messages.
func (m *Message) List(name string) []*Message {
	l, _ := m.values[m.field(name).Name].([]*Message)
	return l
}

// Sub is a nested message; an empty one when it was not set.
func (m *Message) Sub(name string) *Message {
	f := m.field(name)
	if sub, ok := m.values[name].(*Message); ok {
		return sub
	}
	return New(f.Message)
}

// Pairs are the entries of a map of strings, in order.
func (m *Message) Pairs(name string) *Object {
	if o, ok := m.values[m.field(name).Name].(*Object); ok {
		return o
	}
	return &Object{}
}

// Any is a field of any JSON value.
func (m *Message) Any(name string) any { return m.values[m.field(name).Name] }
