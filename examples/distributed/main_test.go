package main

import (
	"context"
	"fmt"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout, false, "cpu-cluster", "azureml:sklearn-1.5@latest"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// rank 0 of 4 on node 0: 114 of 456 rows
	// rank 1 of 4 on node 0: 114 of 456 rows
	// rank 2 of 4 on node 1: 114 of 456 rows
	// rank 3 of 4 on node 1: 114 of 456 rows
	// Completed: held-out accuracy 0.991 after 60 steps
}
