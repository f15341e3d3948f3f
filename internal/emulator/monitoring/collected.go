package monitoring

import (
	"encoding/json"
	"errors"
	"fmt"
)

// correlation is the column by which the rows of a request's inputs and outputs are joined.
const correlation = "correlationid"

// envelope is a line that a deployment's data collector wrote: a cloud event with the rows of one request.
type envelope struct {
	Data        json.RawMessage `json:"data"`
	DataRef     string          `json:"dataref"`
	Correlation string          `json:"correlationid"`
}

// envelopeOf tells such a line from a row of its own.
func envelopeOf(row map[string]json.RawMessage) *envelope {
	_, event := row["specversion"]
	_, joined := row[correlation]
	_, data := row["data"]
	_, ref := row["dataref"]
	if !event && !joined || !data && !ref {
		return nil
	}
	e := &envelope{Data: row["data"]}
	for k, to := range map[string]*string{"dataref": &e.DataRef, correlation: &e.Correlation} {
		if err := json.Unmarshal(row[k], to); err != nil {
			*to = "" // absent, or null
		}
	}
	return e
}

// collected adds the rows of an envelope. Each has the request's id with its number behind it.
func (b *builder) collected(e *envelope) error {
	text := e.Data
	if len(text) == 0 || string(text) == "null" {
		if e.DataRef != "" {
			return fmt.Errorf("the rows lie at %s; the local workspace reads those that are in the line", e.DataRef)
		}
		return errors.New("there are no rows in data")
	}
	var inner string
	if json.Unmarshal(text, &inner) == nil { // the rows as text
		text = json.RawMessage(inner)
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(text, &rows); err != nil {
		return fmt.Errorf("data: a list of rows is wanted: %w", err)
	}
	for i, r := range rows {
		if err := b.object(r, map[string]string{correlation: fmt.Sprintf("%s_%d", e.Correlation, i)}); err != nil {
			return fmt.Errorf("data[%d]: %w", i, err)
		}
	}
	return nil
}
