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
	// made the schedule nightly
	//   nightly-20260328T020000Z Completed
	//   nightly-20260329T010000Z Completed
	//   nightly-20260330T010000Z Completed
	//   nightly-20260330T120000Z Completed
}
