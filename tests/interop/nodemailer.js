// Sends what standard input asks for as JSON: how to connect, and messages one after the other on one connection.
"use strict";
const nodemailer = require("nodemailer");

async function send({ transport, messages }) {
  const transporter = nodemailer.createTransport({ ...transport, pool: true, maxConnections: 1 });
  const answers = [];
  for (const message of messages) {
    answers.push((await transporter.sendMail(message)).response);
  }
  transporter.close();
  return answers;
}

send(JSON.parse(require("fs").readFileSync(0, "utf8"))).then(
  (answers) => console.log(JSON.stringify(answers)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
