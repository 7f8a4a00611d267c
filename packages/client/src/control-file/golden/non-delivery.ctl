<DTSControl>
  <Version>1.0</Version>
  <AddressType>ALL</AddressType>
  <MessageType>Report</MessageType>
  <From_DTS></From_DTS>
  <To_DTS>X26AB001</To_DTS>
  <Subject>Results batch 41</Subject>
  <LocalId>LAB-000041</LocalId>
  <DTSId>20250227121100000001_AB12CD</DTSId>
  <WorkflowId>GPFED_CONSULT_REPORT</WorkflowId>
  <StatusRecord>
    <DateTime>20250227121100</DateTime>
    <Event>SEND</Event>
    <Status>ERROR</Status>
    <StatusCode>EPL-152</StatusCode>
    <Description>Invalid NHS Number</Description>
  </StatusRecord>
</DTSControl>
