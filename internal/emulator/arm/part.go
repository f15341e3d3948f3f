package arm

// Part is JSON inside of a text that is kept as long: it is not copied.
type Part []byte

// UnmarshalJSON takes the text's own bytes.
func (p *Part) UnmarshalJSON(b []byte) error {
	*p = b
	return nil
}

// MarshalJSON gives them back.
func (p Part) MarshalJSON() ([]byte, error) { return p, nil }
