// An upstream on Dex, with its own server, pages, and storage in memory, and one person with a password. It listens at the socket
// that is its standard input, by TLS.
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

func main() {
	logger := logrus.New()
	hash, err := bcrypt.GenerateFromPassword([]byte(os.Getenv("PASSWORD")), bcrypt.DefaultCost)
	must(err)
	kept := memory.New(logger)
	kept = storage.WithStaticClients(kept, []storage.Client{{
		ID:           os.Getenv("CLIENT_ID"),
		Secret:       os.Getenv("CLIENT_SECRET"),
		RedirectURIs: []string{os.Getenv("CALLBACK")},
		Name:         "Grantor",
	}})
	kept = storage.WithStaticPasswords(kept, []storage.Password{{
		Email: "ada@corp.example", Hash: hash, Username: "Ada There", UserID: "ada-there",
	}}, logger)
	kept = storage.WithStaticConnectors(kept, []storage.Connector{{
		ID: server.LocalConnector, Name: "Email", Type: server.LocalConnector,
	}})
	dex, err := server.NewServer(context.Background(), server.Config{
		Issuer:             os.Getenv("ISSUER"),
		Storage:            kept,
		SkipApprovalScreen: true,
		Web:                server.WebConfig{Dir: os.Getenv("WEB")},
		Logger:             logger,
		PrometheusRegistry: prometheus.NewRegistry(),
	})
	must(err)
	listener, err := net.FileListener(os.Stdin)
	must(err)
	must(http.ServeTLS(listener, dex, os.Getenv("CERTIFICATE_FILE"), os.Getenv("KEY_FILE")))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
