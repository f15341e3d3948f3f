package blob

import (
	"database/sql"
	"sync"
)

// known spares each write two questions to the database: which number its container
// has, and whether blocks wait for its blob. What is in it is changed in updates only,
// which run one after the other, and read there.
type known struct {
	mu         sync.Mutex
	containers map[string]int64 // by address
	dropped    int              // how many containers went
	staged     map[stagedKey]struct{}
}

// stagedKey names a blob for which blocks may wait.
type stagedKey struct {
	container int64
	name      string
}

// load reads which blobs have blocks waiting.
func (k *known) load(tx *sql.Tx) error {
	rows, err := tx.Query(`SELECT DISTINCT container, name FROM blob_blocks`)
	if err != nil {
		return err
	}
	defer rows.Close()
	k.containers, k.staged = map[string]int64{}, map[stagedKey]struct{}{}
	for rows.Next() {
		var s stagedKey
		if err := rows.Scan(&s.container, &s.name); err != nil {
			return err
		}
		k.staged[s] = struct{}{}
	}
	return rows.Err()
}

// containerOf is findContainer in an update. epoch is for keep.
func (s *Service) containerOf(tx *sql.Tx, a address) (id int64, epoch int, err error) {
	k := &s.known
	k.mu.Lock()
	id, ok := k.containers[a.account+"/"+a.container]
	epoch = k.dropped
	k.mu.Unlock()
	if !ok {
		id, err = findContainer(tx, a)
	}
	return id, epoch, err
}

// keep remembers a container's number when the update that learned it is durable,
// unless containers were removed since.
func (k *known) keep(a address, id int64, epoch int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dropped == epoch {
		k.containers[a.account+"/"+a.container] = id
	}
}

// drop forgets a container that an update removes.
func (k *known) drop(a address) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropped++
	delete(k.containers, a.account+"/"+a.container)
}

// wait notes that blocks wait for a blob.
func (k *known) wait(s stagedKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.staged[s] = struct{}{}
}

// waits reports whether blocks may wait for a blob.
func (k *known) waits(s stagedKey) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.staged[s]
	return ok
}

// gone notes that none wait any more.
func (k *known) gone(s stagedKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.staged, s)
}
