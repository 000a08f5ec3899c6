# Two stages: the first builds a static program, the second holds it and
# nothing else but CA roots, the configuration and an empty data folder. Time
# zones are inside the program.
ARG GO_VERSION=1.26
FROM golang:${GO_VERSION}-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/newswatch ./cmd/newswatch \
 && mkdir -p /out/data /out/etc/newswatch/rules /out/tmp \
 && cp configs/*.yaml /out/etc/newswatch/ && cp configs/rules/*.yaml /out/etc/newswatch/rules/


FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/etc/newswatch /etc/newswatch
COPY --from=build --chown=65532:65532 /out/tmp /tmp
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/newswatch /usr/local/bin/newswatch
# The configuration in /etc/newswatch reads these; mount your own over it to
# change more.
ENV NEWSWATCH_DATA=/data \
    NEWSWATCH_STORE=sqlite:/data/newswatch.db \
    NEWSWATCH_LISTEN=0.0.0.0:8080
USER 65532:65532
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["/usr/local/bin/newswatch", "health"]
ENTRYPOINT ["/usr/local/bin/newswatch"]
CMD ["run"]
