// The life of an app at a server, step by step: see app.go.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	app := &app{}
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"discovers", app.discovers},
		{"signsIn", app.signsIn},
		{"learnsWhoItIs", app.learnsWhoItIs},
		{"refreshes", app.refreshes},
		{"comesBackWithoutBeingAsked", app.comesBackWithoutBeingAsked},
		{"signsOut", app.signsOut},
		{"signsInAgain", app.signsInAgain},
		{"isRefusedWithAnotherVerifier", app.isRefusedWithAnotherVerifier},
		{"seesAnIDTokenForAnotherRequest", app.seesAnIDTokenForAnotherRequest},
		{"hearsThatItIsDenied", app.hearsThatItIsDenied},
	}
	for _, step := range steps {
		if err := step.run(context.Background()); err != nil {
			fmt.Fprintf(os.Stderr, "failed: %s: %v\n", step.name, err)
			os.Exit(1)
		}
		fmt.Println("passed:", step.name)
	}
}
