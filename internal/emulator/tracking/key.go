package tracking

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// cachedKeys bounds the memory that key names take.
const cachedKeys = 100_000

// keyCache knows the numbers of key names that are durable. Keys are never removed.
type keyCache struct {
	mu    sync.RWMutex
	ids   map[string]int64
	names map[int64]string
}

func (c *keyCache) id(name string) (int64, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	id, ok := c.ids[name]
	return id, ok
}

func (c *keyCache) name(id int64) (string, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	name, ok := c.names[id]
	return name, ok
}

func (c *keyCache) add(name string, id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids == nil || len(c.ids) >= cachedKeys {
		c.ids, c.names = map[string]int64{}, map[int64]string{}
	}
	c.ids[name], c.names[id] = id, name
}

// keyID looks a key name up; 0 when nothing has that key.
func (s *Store) keyID(tx *sql.Tx, name string) (int64, error) {
	if id, ok := s.keys.id(name); ok {
		return id, nil
	}
	var id int64
	err := tx.QueryRow(`SELECT id FROM tracking_keys WHERE name = ?`, name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// makeKey is keyID that makes the key when it is not there. It is not remembered:
// the transaction may be undone.
func (s *Store) makeKey(tx *sql.Tx, name string) (int64, error) {
	id, err := s.keyID(tx, name)
	if err != nil || id != 0 {
		return id, err
	}
	r, err := tx.Exec(`INSERT INTO tracking_keys (name) VALUES (?)`, name)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// ensureKeys makes all names durable keys and returns their numbers.
func (s *Store) ensureKeys(ctx context.Context, names []string) ([]int64, error) {
	ids := make([]int64, len(names))
	missing := false
	for i, name := range names {
		id, ok := s.keys.id(name)
		ids[i] = id
		missing = missing || !ok
	}
	if !missing {
		return ids, nil
	}
	err := s.db.Update(ctx, func(tx *sql.Tx) (err error) {
		for i, name := range names {
			if ids[i] != 0 {
				continue
			}
			if ids[i], err = s.makeKey(tx, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		s.keys.add(name, ids[i])
	}
	return ids, nil
}

// keyName is the name of a key.
func (s *Store) keyName(tx *sql.Tx, id int64) (string, error) {
	if name, ok := s.keys.name(id); ok {
		return name, nil
	}
	var name string
	if err := tx.QueryRow(`SELECT name FROM tracking_keys WHERE id = ?`, id).Scan(&name); err != nil {
		return "", err
	}
	s.keys.add(name, id) // read in a transaction: only called for keys that are durable
	return name, nil
}
