package tracking

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/points"
)

// Values in a segment: new ones are put together with the newest segments while
// those are small beside them, so that each value is rewritten a few times only.
const (
	segmentSmall = 256
	segmentMost  = 8192
)

// moveRows bounds the rows that one transaction moves, so that none lasts long.
const moveRows = 96

// moving is what is moved of one run.
type moving struct {
	run    runRow
	rows   int
	values int
	last   int64 // seq of the last row
	byKey  map[int64][]points.Point
	sum    *summary
	names  map[int64]string
	drop   []int64 // segments that are replaced
	add    []segment
}

type segment struct {
	id, kid     int64
	n           int
	first, last int64
	data        []byte
}

// move brings a run's rows of the tail to where they are kept. Only one goroutine
// moves at a time; what it writes was computed before the transaction that writes.
func (s *Store) move(ctx context.Context, rid int64) error {
	s.tail.moving.Lock()
	defer s.tail.moving.Unlock()
	for {
		noted := s.tail.noted(rid)
		m := &moving{byKey: map[int64][]points.Point{}, names: map[int64]string{}}
		err := s.db.View(ctx, func(tx *sql.Tx) error { return s.prepareMove(tx, rid, m) })
		if err != nil {
			return err
		}
		if m.rows == 0 {
			s.tail.moved(rid, noted, 0)
			return nil
		}
		if err := s.db.Update(ctx, func(tx *sql.Tx) error { return s.applyMove(tx, m) }); err != nil {
			return err
		}
		s.tail.moved(rid, m.rows, m.values)
		if m.rows < moveRows {
			return nil
		}
	}
}

func (s *Store) prepareMove(tx *sql.Tx, rid int64, m *moving) error {
	m.run.rid = rid
	if err := s.readTail(tx, m); err != nil || m.rows == 0 {
		return err
	}
	err := tx.QueryRow(`SELECT r.eid, d.metrics FROM tracking_runs r JOIN tracking_run_data d ON d.rid = r.rid WHERE r.rid = ?`, rid).Scan(&m.run.eid, &m.run.metrics)
	if errors.Is(err, sql.ErrNoRows) {
		m.byKey = nil // the run is gone: its rows go too
		return nil
	}
	if err != nil {
		return err
	}
	if m.sum, err = openSummary(m.run.metrics); err != nil {
		return err
	}
	for _, kid := range slices.Sorted(maps.Keys(m.byKey)) {
		name, err := s.keyName(tx, kid)
		if err != nil {
			return err
		}
		m.names[kid] = name
		ps := m.byKey[kid]
		newest := ps[0]
		for _, p := range ps[1:] {
			if p.After(newest) {
				newest = p
			}
		}
		m.sum.see(name, newest)
		if err := m.fold(tx, kid, points.Sort(ps)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) readTail(tx *sql.Tx, m *moving) (err error) {
	rows, err := tx.Query(`SELECT seq, data FROM tracking_tail WHERE rid = ? ORDER BY seq LIMIT ?`, m.run.rid, moveRows)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var data sql.RawBytes
		if err := rows.Scan(&m.last, &data); err != nil {
			return err
		}
		m.rows++
		err := points.Batch(data, func(kid int64, p points.Point) {
			m.byKey[kid] = append(m.byKey[kid], p)
			m.values++
		})
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// fold puts new values of a key together with the newest segments.
func (m *moving) fold(tx *sql.Tx, kid int64, ps []points.Point) (err error) {
	rows, err := tx.Query(`SELECT id, n, data FROM tracking_segments WHERE rid = ? AND kid = ? ORDER BY id DESC`, m.run.rid, kid)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int64
		var n int
		var data sql.RawBytes
		if err := rows.Scan(&id, &n, &data); err != nil {
			return err
		}
		if n > max(segmentSmall, 2*len(ps)) || n+len(ps) > segmentMost {
			break
		}
		if ps, err = points.Segment(data, ps); err != nil {
			return err
		}
		ps = points.Sort(ps)
		m.drop = append(m.drop, id)
	}
	for chunk := range slices.Chunk(ps, segmentMost) {
		m.add = append(m.add, segment{kid: kid, n: len(chunk), first: chunk[0].Time, last: chunk[len(chunk)-1].Time, data: points.AppendSegment(nil, chunk)})
	}
	return rows.Err()
}

// many is how many rows go into one statement where there are that many.
const many = 32

var (
	insertSegment  = `INSERT INTO tracking_segments (rid, kid, n, first, last, data) VALUES `
	insertSegments = insertSegment + strings.Repeat("(?, ?, ?, ?, ?, ?), ", many-1) + "(?, ?, ?, ?, ?, ?)"
	upsertLatest   = `INSERT INTO tracking_latest (rid, kid, eid, nan, value) VALUES `
	onLatest       = ` ON CONFLICT (rid, kid) DO UPDATE SET nan = excluded.nan, value = excluded.value`
	upsertLatests  = upsertLatest + strings.Repeat("(?, ?, ?, ?, ?), ", many-1) + "(?, ?, ?, ?, ?)" + onLatest
	dropSegment    = `DELETE FROM tracking_segments WHERE id = ?`
	dropSegments   = `DELETE FROM tracking_segments WHERE id IN (` + strings.Repeat("?, ", many-1) + `?)`
)

// inChunks runs one statement for each row, or one for many of them.
func inChunks[T any](tx *sql.Tx, one, all string, rows []T, args func(T) []any) error {
	for len(rows) > 0 {
		n, q := 1, one
		if len(rows) >= many {
			n, q = many, all
		}
		var values []any
		for _, r := range rows[:n] {
			values = append(values, args(r)...)
		}
		if _, err := tx.Exec(q, values...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (s *Store) applyMove(tx *sql.Tx, m *moving) error {
	rid := m.run.rid
	if m.byKey != nil {
		if err := inChunks(tx, dropSegment, dropSegments, m.drop, func(id int64) []any { return []any{id} }); err != nil {
			return err
		}
		err := inChunks(tx, insertSegment+"(?, ?, ?, ?, ?, ?)", insertSegments, m.add, func(g segment) []any {
			return []any{rid, g.kid, g.n, g.first, g.last, g.data}
		})
		if err != nil {
			return err
		}
		var changed []int64
		for kid, name := range m.names {
			if m.sum.changed[name] {
				changed = append(changed, kid)
			}
		}
		slices.Sort(changed)
		err = inChunks(tx, upsertLatest+"(?, ?, ?, ?, ?)"+onLatest, upsertLatests, changed, func(kid int64) []any {
			p := m.sum.list[m.sum.at[m.names[kid]]].Point
			return []any{rid, kid, m.run.eid, math.IsNaN(p.Value), p.Rank()}
		})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE tracking_run_data SET metrics = ? WHERE rid = ?`, m.sum.pack(), rid); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`DELETE FROM tracking_tail WHERE rid = ? AND seq <= ?`, rid, m.last)
	return err
}
