package execution

import (
	"runtime"
	"sync"
)

// shareFrom is how many pieces of work are worth more than one goroutine.
const shareFrom = 64

// share does n independent pieces of work on all processors, when they are many.
func share(n int, work func(i int)) {
	workers := runtime.GOMAXPROCS(0)
	if n < shareFrom || workers == 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				work(i)
			}
		})
	}
	wg.Wait()
}
