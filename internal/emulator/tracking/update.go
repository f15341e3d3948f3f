package tracking

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"
)

// UpdateRun changes a run, a deleted one too.
func (s *Store) UpdateRun(ctx context.Context, ws, id string, u *RunUpdate) error {
	err := s.db.Update(ctx, func(tx *sql.Tx) error { return s.UpdateRunTx(tx, ws, id, u) })
	if err == nil && u.Status != nil {
		s.changed(ws, id, *u.Status)
	}
	return err
}

// UpdateRunTx is UpdateRun inside a transaction that writes.
func (s *Store) UpdateRunTx(tx *sql.Tx, ws, id string, u *RunUpdate) error {
	space, err := s.spaceTx(tx, ws)
	if err != nil {
		return err
	}
	if u.state() {
		return s.saveState(tx, space, id, u)
	}
	r, err := s.run(tx, space, id)
	if err != nil {
		return err
	}
	if u.Status != nil {
		r.status = *u.Status
	}
	if u.Start != nil {
		r.start = millis(*u.Start)
	}
	if u.End != nil {
		r.ended = sql.NullInt64{Int64: millis(*u.End), Valid: true}
	}
	if err := s.saveRun(tx, r); err != nil {
		return err
	}
	if u.Name != nil && *u.Name != r.name {
		if err := s.renameRun(tx, r, *u.Name); err != nil {
			return err
		}
	}
	if u.Hidden != nil {
		stage := active
		if *u.Hidden {
			stage = deleted
		}
		if err := s.stageRun(tx, r, stage); err != nil {
			return err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(u.Tags)) {
		v := u.Tags[k]
		if v == nil {
			_, err = s.removeTag(tx, r, k)
		} else {
			err = s.putTag(tx, r, Tag{k, *v})
		}
		if err != nil {
			return err
		}
	}
	for _, p := range sorted(u.Params) {
		if err := s.addParam(tx, r, p); err != nil && asError(err).Code != InvalidParameter {
			return err
		}
	}
	return nil
}

// state says that an update is of what a run's row has alone.
func (u *RunUpdate) state() bool {
	return u.Name == nil && u.Hidden == nil && len(u.Tags) == 0 && len(u.Params) == 0
}

// saveState writes an update's status and times.
func (s *Store) saveState(tx *sql.Tx, space int64, id string, u *RunUpdate) error {
	when := func(t *time.Time) any {
		if t == nil {
			return nil
		}
		return millis(*t)
	}
	res, err := tx.Exec(`UPDATE tracking_runs SET status = coalesce(?, status), start = coalesce(?, start), ended = coalesce(?, ended) WHERE ws = ? AND run_id = ?`,
		u.Status, when(u.Start), when(u.End), space, id)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return noRun(id)
}

// saveRun writes what may change of a run's row.
func (s *Store) saveRun(tx *sql.Tx, r *runRow) error {
	_, err := tx.Exec(`UPDATE tracking_runs SET status = ?, start = ?, ended = ? WHERE rid = ?`, r.status, r.start, r.ended, r.rid)
	return err
}

// stageRun deletes or restores a run.
func (s *Store) stageRun(tx *sql.Tx, r *runRow, stage string) error {
	var when any
	if stage == deleted {
		when = s.now()
	}
	r.stage = stage
	_, err := tx.Exec(`UPDATE tracking_runs SET stage = ?, deleted = ? WHERE rid = ?`, stage, when, r.rid)
	return err
}

// renameRun sets the name, and the tag that has it.
func (s *Store) renameRun(tx *sql.Tx, r *runRow, name string) error {
	return s.putTag(tx, r, Tag{tagRunName, name})
}

// putTag sets a tag. The tag of the run's name sets that too.
func (s *Store) putTag(tx *sql.Tx, r *runRow, t Tag) error {
	kid, err := s.makeKey(tx, t.Key)
	if err != nil {
		return err
	}
	switch {
	case t.Key == tagRunName && t.Value != "":
		r.name = t.Value
		_, err = tx.Exec(`UPDATE tracking_runs SET name = ? WHERE rid = ?`, t.Value, r.rid)
	case t.Key == tagParent:
		_, err = tx.Exec(`UPDATE tracking_runs SET parent = ? WHERE rid = ?`, sql.NullString{String: t.Value, Valid: t.Value != ""}, r.rid)
	}
	if err != nil {
		return err
	}
	var old string
	err = tx.QueryRow(`SELECT value FROM tracking_tags WHERE rid = ? AND kid = ?`, r.rid, kid).Scan(&old)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := tx.Exec(`INSERT INTO tracking_tags (rid, kid, value) VALUES (?, ?, ?)`, r.rid, kid, t.Value); err != nil {
			return err
		}
		return appendTo(tx, `UPDATE tracking_run_data SET tags = CASE tags WHEN '' THEN ?1 ELSE tags || ',' || ?1 END WHERE rid = ?2`, r.rid, t)
	}
	if err != nil || old == t.Value {
		return err
	}
	if _, err := tx.Exec(`UPDATE tracking_tags SET value = ? WHERE rid = ? AND kid = ?`, t.Value, r.rid, kid); err != nil {
		return err
	}
	return editTags(tx, r.rid, func(list []Tag) []Tag {
		for i := range list {
			if list[i].Key == t.Key {
				list[i].Value = t.Value
			}
		}
		return list
	})
}

// removeTag removes a tag and reports whether it was there.
func (s *Store) removeTag(tx *sql.Tx, r *runRow, key string) (bool, error) {
	kid, err := s.keyID(tx, key)
	if err != nil || kid == 0 {
		return false, err
	}
	res, err := tx.Exec(`DELETE FROM tracking_tags WHERE rid = ? AND kid = ?`, r.rid, kid)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	if key == tagParent {
		if _, err := tx.Exec(`UPDATE tracking_runs SET parent = NULL WHERE rid = ?`, r.rid); err != nil {
			return false, err
		}
	}
	return true, editTags(tx, r.rid, func(list []Tag) []Tag {
		return slices.DeleteFunc(list, func(t Tag) bool { return t.Key == key })
	})
}

// appendTo puts a tag behind those of a list.
func appendTo(tx *sql.Tx, update string, rid int64, t Tag) error {
	_, err := tx.Exec(update, string(appendTag(nil, t)), rid)
	return err
}

// editTags rewrites the list of a run's tags.
func editTags(tx *sql.Tx, rid int64, edit func([]Tag) []Tag) error {
	var inside []byte
	if err := tx.QueryRow(`SELECT tags FROM tracking_run_data WHERE rid = ?`, rid).Scan(&inside); err != nil {
		return err
	}
	list, err := tagList(inside)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE tracking_run_data SET tags = ? WHERE rid = ?`, joinTags(edit(list)), rid)
	return err
}

// addParam adds a parameter. Errors: it is there with another value.
func (s *Store) addParam(tx *sql.Tx, r *runRow, p Tag) error {
	old, err := s.param(tx, r, p)
	if err != nil {
		return err
	}
	if old != nil && *old != p.Value {
		return invalidf("Changing param values is not allowed. Param with key='%s' was already logged with value='%s' for run ID='%s'. Attempted logging new value '%s'.", p.Key, *old, r.id, p.Value)
	}
	return nil
}

// param adds a parameter unless it is there, and returns the value that it then had.
func (s *Store) param(tx *sql.Tx, r *runRow, p Tag) (*string, error) {
	kid, err := s.makeKey(tx, p.Key)
	if err != nil {
		return nil, err
	}
	var old string
	err = tx.QueryRow(`SELECT value FROM tracking_params WHERE rid = ? AND kid = ?`, r.rid, kid).Scan(&old)
	if err == nil {
		return &old, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if _, err := tx.Exec(`INSERT INTO tracking_params (rid, kid, value) VALUES (?, ?, ?)`, r.rid, kid, p.Value); err != nil {
		return nil, err
	}
	return nil, appendTo(tx, `UPDATE tracking_run_data SET params = CASE params WHEN '' THEN ?1 ELSE params || ',' || ?1 END WHERE rid = ?2`, r.rid, p)
}
