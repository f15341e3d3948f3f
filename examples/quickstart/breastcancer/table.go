// Package breastcancer holds the UCI table "Breast Cancer Wisconsin
// (Diagnostic)" (W. Wolberg, O. Mangasarian, N. Street, W. Street, 1993,
// CC BY 4.0, doi:10.24432/C5DW2B), in the form that scikit-learn carries: 569
// tumours, 30 measurements of each, and whether it was malignant (0) or
// benign (1).
package breastcancer

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// CSV is the table: a header line with the number of rows and of measurements
// and the two classes' names, then a line for each tumour.
//
//go:embed breast_cancer.csv
var CSV []byte

// Row is one tumour.
type Row struct {
	// Features are the 30 measurements in the table's order.
	Features []float64
	// Benign is the diagnosis.
	Benign bool
}

// Read reads a table in the form of CSV.
func Read(r io.Reader) ([]Row, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1 // the header is shorter
	head, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("breastcancer: header: %w", err)
	}
	if len(head) < 2 {
		return nil, fmt.Errorf("breastcancer: the header must give the number of rows and of measurements, got %q", head)
	}
	width, err := strconv.Atoi(head[1])
	if err != nil {
		return nil, fmt.Errorf("breastcancer: header: %w", err)
	}
	var rows []Row
	for {
		rec, err := c.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("breastcancer: %w", err)
		}
		line, _ := c.FieldPos(0)
		if len(rec) != width+1 {
			return nil, fmt.Errorf("breastcancer: line %d: want %d fields, got %d", line, width+1, len(rec))
		}
		row := Row{Features: make([]float64, width), Benign: rec[width] == "1"}
		for i, s := range rec[:width] {
			if row.Features[i], err = strconv.ParseFloat(s, 64); err != nil {
				return nil, fmt.Errorf("breastcancer: line %d: %w", line, err)
			}
		}
		rows = append(rows, row)
	}
}

// Split keeps every fifth row apart, so that a model is judged on rows that it
// has not seen.
func Split(rows []Row) (train, held []Row) {
	for i, r := range rows {
		if i%5 == 4 {
			held = append(held, r)
		} else {
			train = append(train, r)
		}
	}
	return train, held
}
