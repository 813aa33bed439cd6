// Puts what the server sends into the page; what a reader has unfolded stays so.
"use strict";
const now = document.getElementById("now");
const connection = document.getElementById("connection");
const events = new EventSource("events");

events.onmessage = (event) => {
  const open = Array.from(now.querySelectorAll("details"), (one) => one.open);
  now.innerHTML = JSON.parse(event.data).html;
  now.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? one.open; });
  connection.textContent = "Live: the page follows the run.";
};
events.onerror = () => {
  connection.textContent = "The server does not answer; what stands here is old. The page goes on trying.";
};
